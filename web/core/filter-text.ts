import { writeJson } from './exact-json.ts';

/** A text as a filter has it: there a text ends with the next quotation mark, whatever stands before that. */
export function quoted(text: string): string {
  return `"${writeJson(text).slice(1, -1).replaceAll('\\"', '\\u0022')}"`;
}
