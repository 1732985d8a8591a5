/** XML as Eureka writes it, of the objects that JSON is written of; and as it is read, into the same. */
import { Unparsable } from './faults.ts';
import type { Shape } from './shown.ts';

const STEP = '  ';

/** `indent` is null for all of it in one line. */
export function writeXml(name: string, value: unknown, indent: string | null = ''): string {
  const [tab, end] = indent === null ? ['', ''] : [indent, '\n'];
  if (Array.isArray(value)) return value.map((each) => writeXml(name, each, indent)).join('');
  if (typeof value !== 'object' || value === null) {
    return `${tab}<${name}>${escaped(String(value ?? ''))}</${name}>${end}`;
  }
  const { $: text, ...fields } = value as Shape;
  const entries = Object.entries(fields);
  const attributes = entries
    .filter(([key]) => key.startsWith('@'))
    .map(([key, said]) => ` ${nameOf(key.slice(1))}="${escaped(String(said))}"`)
    .join('');
  if (text !== undefined) {
    return `${tab}<${name}${attributes}>${escaped(String(text))}</${name}>${end}`;
  }
  const deeper = indent === null ? null : indent + STEP;
  const children = entries
    .filter(([key]) => !key.startsWith('@'))
    .map(([key, child]) => writeXml(nameOf(key), child, deeper))
    .join('');
  if (children === '') return `${tab}<${name}${attributes}/>${end}`;
  return `${tab}<${name}${attributes}>${end}${children}${tab}</${name}>${end}`;
}

/**
 * Keys of metadata may be anything, and one element that is called what no element may be makes the whole list
 * unreadable to everybody. Readers differ by the edition of XML that they know: this much is a name to all.
 */
const BAD_FIRST = /^[^A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]/;
const BAD = /[^\w.\-\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]/g;

function nameOf(key: string): string {
  if (key === 'overriddenStatus') return 'overriddenstatus';
  const name = key.replace(BAD, '_');
  return BAD_FIRST.test(name) || name === '' ? `_${name}` : name;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xd;',
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: no XML may hold these.
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/g;

function escaped(text: string): string {
  return text.replace(FORBIDDEN, '').replace(/[&<>"'\r]/g, (c) => ESCAPES[c] ?? c);
}

/** An instance has a thousand elements at most, few attributes, and some escapes. */
const MAX_MARKS = 8192;
const MAX_ATTRIBUTE_CHARS = 32 * 1024;

/** Before it is parsed: what is small and made of nothing but marks takes half a second, while everybody waits. */
function isTooMuch(text: string): boolean {
  let marks = 0;
  let chars = 0;
  for (const [part] of text.matchAll(/[<&][^<>&]*/g)) {
    marks++;
    if (part.startsWith('<') && part.includes('=')) chars += part.length;
    if (marks > MAX_MARKS || chars > MAX_ATTRIBUTE_CHARS) return true;
  }
  return false;
}

/** These have a text and an attribute that counts. */
const PORTS = new Set(['port', 'securePort']);
/** And these have others within. */
const OBJECTS = new Set(['', 'instance', 'dataCenterInfo', 'metadata', 'leaseInfo']);

/** As JSON would say it, and as a real one reads it: of two the last counts, and an element is its text. */
function plain(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return plain(value.at(-1), name);
  if (typeof value !== 'object' || value === null) return value;
  const { $: text, ...fields } = value as Shape;
  const isEmpty = Object.keys(fields).every((key) => key.startsWith('@'));
  if (text !== undefined && isEmpty) return PORTS.has(name) ? value : text;
  // What others are in is no text.
  if (!OBJECTS.has(name)) return '';
  return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, plain(each, key)]));
}

type Read = (text: string) => unknown;
let reading: Promise<Read> | undefined;

/** Loaded once somebody speaks XML. */
export async function readXml(text: string): Promise<unknown> {
  reading ??= makeReader();
  const read = await reading;
  return read(text);
}

async function makeReader(): Promise<Read> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    textNodeName: '$',
    parseTagValue: false,
    trimValues: false,
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    // Without this no number stands for its character.
    htmlEntities: true,
  });
  return (text) => {
    // What is declared there may stand for any amount of text.
    if (/<!(?:DOCTYPE|ENTITY)/i.test(text) || isTooMuch(text)) throw new Unparsable();
    try {
      if (XMLValidator.validate(text) !== true) throw new Unparsable();
      return plain(parser.parse(text));
    } catch {
      throw new Unparsable();
    }
  };
}
