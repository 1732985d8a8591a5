/** What nobody is to read over somebody's shoulder, in a body, an entry or a command. */
import type { Action } from './action.ts';
import { readJson, writeJson } from './exact-json.ts';

/** Stands in the place of one. */
export const HIDDEN = '<hidden>';

/** In any case, and in snake_case. */
const SECRETS: ReadonlySet<string> = new Set([
  'oidcclientsecret',
  'serviceaccountjwt',
  'privatekey',
  'secretid',
  'token',
  'bearertoken',
]);

function isSecret(name: string, value: unknown): boolean {
  return (
    typeof value === 'string' && value !== '' && SECRETS.has(name.toLowerCase().replaceAll('_', ''))
  );
}

/** Of a list too. */
export function withoutSecrets(config: object): object {
  const { all } = mapped({ all: config }, (name, value) =>
    isSecret(name, value) ? HIDDEN : value,
  ) as { readonly all: object };
  return all;
}

/** What was hidden is as it was. */
export function withSecrets(config: object, before: object): object {
  const known = new Map<string, unknown>(Object.entries(before));
  return Object.fromEntries(
    Object.entries(config).map(([name, value]: [string, unknown]) => [
      name,
      withSecret(value, known.get(name)),
    ]),
  );
}

/** Whether something is still hidden: nobody knows what was meant, and it is to be written out. */
export function hasHidden(json: string): boolean {
  return json.includes(`"${HIDDEN}"`);
}

function withSecret(value: unknown, was: unknown): unknown {
  if (value === HIDDEN) return was ?? HIDDEN;
  if (Array.isArray(value)) return withSecretsOfList(value, Array.isArray(was) ? was : []);
  return isObject(value) && isObject(was) ? withSecrets(value, was) : value;
}

/** Where it stands says nothing of which one it is: those that look as they did have what they had, unless others do too. */
function withSecretsOfList(now: readonly unknown[], was: readonly unknown[]): unknown[] {
  const looks = (value: unknown) => writeJson(isObject(value) ? withoutSecrets(value) : value);
  const like = (list: readonly unknown[], look: string) =>
    list.filter((each) => looks(each) === look);
  const used = new Map<string, number>();
  return now.map((each, i) => {
    if (each === HIDDEN) return now.length === was.length ? was[i] : each;
    if (!isObject(each) || !hasHidden(writeJson(each))) return each;
    const look = looks(each);
    const before = like(was, look);
    const at = used.get(look) ?? 0;
    used.set(look, at + 1);
    const isSure = before.length === 1 || before.length === like(now, look).length;
    return (isSure && before[at]) || each;
  });
}

/** The same of JSON; whatever else a text is, and one without secrets, stays letter by letter. */
export function textWithoutSecrets(text: string): string {
  return rewritten(text, withoutSecrets);
}

export function textWithSecrets(text: string, before: object): string {
  return text.includes(HIDDEN) ? rewritten(text, (value) => withSecrets(value, before)) : text;
}

interface ShownAction extends Action {
  readonly body: string | undefined;
}

/** As it is shown as a command: to be copied to where others read it. */
export function shownOf({ body, command, input, ...rest }: Action): ShownAction {
  return {
    ...rest,
    body:
      typeof body === 'object' ? writeJson(withoutSecrets(body)) : body && textWithoutSecrets(body),
    command: command && {
      words: command.words.map(textWithoutSecrets),
      args: command.args?.map(textWithoutSecrets) ?? [],
    },
    input: input && textWithoutSecrets(input),
  };
}

/** Whether whoever runs the command has to put something in. */
export function hidesSecrets(action: Action): boolean {
  return writeJson(shownOf(action)).includes(HIDDEN);
}

function rewritten(text: string, by: (value: object) => object): string {
  const value = objectIn(text);
  if (value === undefined) return text;
  const changed = by(value);
  const isSame = writeJson(changed) === writeJson(value);
  return isSame ? text : writeJson(changed, text.includes('\n') ? 2 : 0);
}

function objectIn(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = readJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapped(of: object, by: (name: string, value: unknown) => unknown): object {
  return Object.fromEntries(
    Object.entries(of).map(([name, value]: [string, unknown]) => [name, each(name, value)]),
  );
  function each(name: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one: unknown) => each(name, one));
    return isObject(value) ? mapped(value, by) : by(name, value);
  }
}
