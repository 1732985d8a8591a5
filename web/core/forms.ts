/** What a key's value is taken for: what somebody chose, what its name says, or what it looks like. */
export const FORMS = ['text', 'json', 'yaml', 'hcl'] as const;
export type Form = (typeof FORMS)[number];

const BY_ENDING: Readonly<Record<string, Form>> = {
  json: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  hcl: 'hcl',
  nomad: 'hcl',
  txt: 'text',
};

/** A line that says what a name is, as YAML has it. */
const YAML_LINE = /^(---\s*$|%YAML |(- )?["']?[\w./-]+["']?:(\s|$))/;
const HCL_LINE = /^["']?[\w.-]+["']?(\s+"[^"\n]*")*\s*(=|\{)/;
const ASIDE = /^\s*(#|\/\/|$)/;

/** By its name, or else by how it begins. */
export function formOf(key: string, text: string): Form {
  const ending = /\.(\w+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending] : undefined) ?? formByLook(text);
}

/** Of one line that may be anything nothing is said: `a: b` and `a = b` are texts too. */
function formByLook(text: string): Form {
  if (/^\s*[[{]/.test(text)) return 'json';
  const lines = text.split('\n', MOST_LOOKED_AT).filter((line) => !ASIDE.test(line));
  const [first = ''] = lines;
  if (lines.length < 2) return 'text';
  if (YAML_LINE.test(first)) return 'yaml';
  return HCL_LINE.test(first) ? 'hcl' : 'text';
}

const MOST_LOOKED_AT = 200;

/** Whether it is certain enough that what is wrong with it is worth saying. */
export function isSure(form: Form, key: string, chosen: Form | undefined): boolean {
  return form === 'json' || chosen === form || formOf(key, '') === form;
}
