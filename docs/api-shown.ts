/** Whether what an example of docs/api shows is what it answers. */
import type { Names } from './api-page.ts';

/** The command with the values that its names have by now. */
export function filledIn(command: string, names: Names): string {
  return command.replace(/<[a-z][a-z-]*>/g, (name) => names.get(name) ?? name);
}

/** Whether the answer is as shown; learns the values of names that are new. */
export function isAsShown(
  shown: string,
  answer: string,
  { form, names }: { readonly form: string; readonly names: Names },
): boolean {
  const plain = PLAIN[form] ?? withoutLineEnds;
  const learnt: string[] = [];
  const pattern = plain(shown)
    .split(/(…|<[a-z][a-z-]*>)/)
    .map((part, i, parts) => {
      if (i % 2 === 0) return literal(part);
      if (part === '…')
        return parts[i - 1]?.endsWith('"') && parts[i + 1]?.startsWith('"')
          ? '[^"]*'
          : '[\\s\\S]*?';
      const known = names.get(part);
      if (known !== undefined) return literal(known);
      const before = learnt.indexOf(part);
      if (before >= 0) return `\\${before + 1}`;
      learnt.push(part);
      return '([^"\\s,}\\]]+)';
    })
    .join('');
  const found = new RegExp(`^${pattern}$`).exec(plain(answer));
  if (found === null) return false;
  for (const [i, name] of learnt.entries()) names.set(name, found[i + 1] ?? '');
  return true;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** JSON is laid out for readers: only what is between quotes counts to the blank. */
function withoutLayout(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, quoted: string | undefined) => quoted ?? '');
}

function withoutLineEnds(text: string): string {
  return text.replace(/\r/g, '').trim();
}

/** Whatever head it has, JSON is JSON. */
function withPlainBody(text: string): string {
  const [head = '', ...body] = withoutLineEnds(text).split('\n\n');
  return [head, ...body.map((part) => (/^[[{]/.test(part) ? withoutLayout(part) : part))].join(
    '\n\n',
  );
}

const PLAIN: Readonly<Record<string, (text: string) => string>> = {
  json: withoutLayout,
  http: withPlainBody,
};

/** The answer as a page would show it: laid out, and with holes where it differs each time. */
export function toShow(answer: string, form: string): string {
  const text = withoutLineEnds(answer);
  if (form === 'http') return withFewHeaders(text);
  // An answer that is no JSON where one was expected is an error, which whoever writes the page must see.
  return form === 'json' && /^[[{"tfn\d]/.test(text) ? laidOut(JSON.parse(text), '') : text;
}

/** Those that say something of the answer. */
const TELLING = /^(HTTP\/|X-Consul-|X-Proconsul-|Allow|Location|X-Cache|Age)/;

function withFewHeaders(text: string): string {
  const [head = '', ...body] = text.split('\n\n');
  const lines = head
    .split('\n')
    .map((line) => (TELLING.test(line) ? line.replace(/^(X-Consul-Index: ).*/, '$1…') : '…'));
  const few = lines.filter((line, i) => line !== '…' || lines[i - 1] !== '…');
  return [few.join('\n'), ...body.map((part) => part.replace(UUIDS, '…'))].join('\n\n');
}

const WIDTH = 96;

function laidOut(value: unknown, indent: string): string {
  const flat = flatOf(value);
  if (flat.length + indent.length <= WIDTH) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((each) => inner + laidOut(each, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return flat;
  const fields = Object.entries(value).map(
    ([k, v]) => `${inner}${JSON.stringify(k)}: ${isVolatile(k) ? holeFor(v) : laidOut(v, inner)}`,
  );
  return `{\n${fields.join(',\n')}\n${indent}}`;
}

function flatOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([k, v]) => `${JSON.stringify(k)}: ${isVolatile(k) ? holeFor(v) : flatOf(v)}`,
  );
  return fields.length === 0 ? '{}' : `{${fields.join(', ')}}`;
}

const VOLATILE =
  /^(id|ID|AccessorID|SecretID|Hash|CreateIndex|ModifyIndex|CreateTime|LTime|Index|LastIndex|.*Time|.*Since)$/;

function isVolatile(name: string): boolean {
  return VOLATILE.test(name);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const UUIDS = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

function holeFor(value: unknown): string {
  if (typeof value === 'string') {
    return UUID.test(value) || /^\d{4}-\d\d-\d\dT/.test(value) || value.length === 44
      ? '"…"'
      : JSON.stringify(value);
  }
  return typeof value === 'number' && value !== 0 ? '…' : laidOut(value, '');
}
