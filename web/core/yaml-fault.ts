/** Loaded when YAML is first shown: its parser is as large as half of the page. */
import { parseAllDocuments } from 'yaml';
import { type Fault, placeOf } from './fault.ts';

export function yamlFault(text: string): Fault | undefined {
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' });
  for (const { errors } of Array.isArray(documents) ? documents : []) {
    const [first] = errors;
    if (first !== undefined) return { ...placeOf(text, first.pos[0]), says: first.message };
  }
  return undefined;
}
