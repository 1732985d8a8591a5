/** Labels and fields by which lists are narrowed, as kubectl writes them. */
import type { KubeObject } from './objects.ts';

/** Throws for what is no selector. */
export function selects(labels: string, fields: string): (object: KubeObject) => boolean {
  const wanted = split(labels).map(requirement);
  const where = split(fields).map(fieldRequirement);
  return (object) =>
    wanted.every((test) => test(object.metadata.labels ?? {})) &&
    where.every((test) => test(object));
}

function split(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

type Labels = Readonly<Record<string, string>>;

function requirement(text: string): (labels: Labels) => boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', how, values = ''] = set;
    const all = values.split(',').map((each) => each.trim());
    return (labels) => all.includes(labels[key] ?? '\0') === (how === 'in');
  }
  const equal = /^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (equal !== null) {
    const [, key = '', how, value] = equal;
    return (labels) => (labels[key] === value) === (how !== '!=');
  }
  if (/^!?[^\s!=()]+$/.test(text)) {
    const key = text.replace('!', '');
    return (labels) => (labels[key] !== undefined) === !text.startsWith('!');
  }
  throw new Error(`unable to parse requirement: ${text}`);
}

function fieldRequirement(text: string): (object: KubeObject) => boolean {
  const [, path = '', how, value] = /^([\w.]+)(==|=|!=)(.*)$/.exec(text) ?? [];
  if (path === '') throw new Error(`invalid selector: ${text}`);
  return (object) => {
    let at: unknown = object;
    for (const part of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[part];
    return (String(at ?? '') === value) === (how !== '!=');
  };
}
