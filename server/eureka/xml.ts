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

/** Keys of metadata may be anything. */
const BAD_FIRST = /^[^A-Za-z_\u0080-\uffff]/;
const BAD = /[^\w.\-\u00b7-\u2fef\u3001-\ud7ff]/g;

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
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
  });
  return (text) => {
    // What is declared there may stand for any amount of text.
    if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Unparsable();
    try {
      if (XMLValidator.validate(text) !== true) throw new Unparsable();
      return parser.parse(text);
    } catch {
      throw new Unparsable();
    }
  };
}
