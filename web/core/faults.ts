/** The first place at which a text is not what it is taken for. */
import { readJson } from './exact-json.ts';
import { type Fault, placeOf } from './fault.ts';
import type { Form } from './forms.ts';

/** A longer one takes longer to read than between two keys. */
export const MAX_READ = 200_000;

/** Undefined where it is all right, or is not looked at. What reads YAML and HCL is loaded when it is wanted. */
export async function faultIn(form: Form, text: string): Promise<Fault | undefined> {
  if (text.length > MAX_READ) return undefined;
  if (form === 'json') return jsonFault(text);
  if (form === 'yaml') return (await import('./yaml-fault.ts')).yamlFault(text);
  if (form === 'hcl') return (await import('./hcl-fault.ts')).hclFault(text);
  return undefined;
}

/** Where it is each browser says in words of its own, if at all. */
function jsonFault(text: string): Fault | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, line = 0, column = 0] = /line (\d+) column (\d+)/.exec(message) ?? [];
    if (Number(line) > 0)
      return { line: Number(line), column: Number(column), says: bare(message) };
    const [, offset] = /position (\d+)/.exec(message) ?? [];
    const at = offset === undefined ? { line: 0, column: 0 } : placeOf(text, Number(offset));
    return { ...at, says: bare(message) };
  }
}

/** Without the place, and the text that some quote. */
function bare(message: string): string {
  return message
    .replace(/^JSON\.parse: /, '')
    .replace(/,? (in JSON )?at (position|line) \d+.*$/s, '')
    .replace(/, .*? is not valid JSON$/s, '');
}
