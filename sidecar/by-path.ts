/** Which permissions go by the path of a request: then it has to be written in one way, whichever proxy judges it. */
import { listIn, type Said, textIn } from './said.ts';

/** `http`: what a permission says of requests. Every path begins with a slash. */
export function goesByPath(http: Said): boolean {
  const [exact, prefix, regex] = ['PathExact', 'PathPrefix', 'PathRegex'].map((how) =>
    textIn(http[how]),
  );
  const hasPath = exact !== '' || regex !== '' || !['', '/'].includes(prefix ?? '');
  return hasPath || listIn(http['Header']).some(isPathHeader);
}

/** A header by name, and the path with its query. */
export function isPathHeader({ Name }: Said): boolean {
  return textIn(Name).toLowerCase() === ':path';
}
