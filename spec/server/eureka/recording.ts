/**
 * What a real Eureka (spring-cloud-starter-netflix-eureka-server 5.0.3) answered to 323 requests, one after
 * another; and what of two answers must be the same. Not compared: the order of applications, instances and
 * metadata; times that a server makes, but whether they are nought; the text of Spring's error page.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Step {
  readonly n: number;
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  readonly response: Recorded;
}

const FILE = new URL('recording.jsonl.gz', import.meta.url);

export function recordedSteps(): readonly Step[] {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Step);
}

const SERVER_TIMES = [
  'registrationTimestamp',
  'lastRenewalTimestamp',
  'evictionTimestamp',
  'serviceUpTimestamp',
  'lastUpdatedTimestamp',
];
/** All that the recorded clients said are about this one. */
const SAID = 1.76e12;
const isMadeUp = (time: number) => Math.abs(time - SAID) > 1e6;

/** What must be the same. */
export function essence(answer: Recorded): object {
  const { status, headers, body } = answer;
  const allow = names(headers['allow']);
  if (status >= 400 && !isEurekasOwn(answer)) return { status, allow };
  return {
    status,
    allow,
    contentType: headers['content-type'],
    encoding: headers['content-encoding'],
    body: bodyOf(String(headers['content-type'] ?? ''), body),
  };
}

function names(allow: Recorded['headers'][string]): string {
  return String(allow ?? '')
    .split(',')
    .map((name) => name.trim())
    .sort()
    .join();
}

/** Not Spring's page, of which clients read nothing but the status. */
function isEurekasOwn({ status, body }: Recorded): boolean {
  const isPage = /"timestamp":.*"path":|<Map><timestamp/.test(body);
  return !isPage && (status === 400 || status === 409);
}

function bodyOf(contentType: string, body: string): unknown {
  if (/json/.test(contentType) && /^[{[]/.test(body)) return levelled(JSON.parse(body) as unknown);
  return /^\s*</.test(body) ? levelledXml(body) : body;
}

function levelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(levelled).sort(byText);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, levelledField(key, each)]));
}

function levelledField(key: string, value: unknown): unknown {
  const number = Number(value);
  if (SERVER_TIMES.includes(key) && number > 0) return `a ${typeof value}, a time`;
  if (key === 'lastDirtyTimestamp' && isMadeUp(number)) return `a ${typeof value}, made up`;
  if (key === 'versions__delta' && number > 0) return `a ${typeof value}`;
  return levelled(value);
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function levelledXml(body: string): string {
  const times = new RegExp(`<(${SERVER_TIMES.join('|')})>[1-9]\\d*<`, 'g');
  const text = body
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replace(times, '<$1>a time<')
    .replace(/<lastDirtyTimestamp>(\d+)</g, (said, time) =>
      isMadeUp(Number(time)) ? '<lastDirtyTimestamp>made up<' : said,
    )
    .replace(/<versions__delta>\d+</, '<versions__delta>a number<')
    .replace(/<metadata>([\s\S]*?)<\/metadata>/g, (_, pairs: string) => inLines(pairs));
  return sortedBlocks(text, 'application', (each) => sortedBlocks(each, 'instance', (one) => one));
}

function inLines(pairs: string): string {
  const lines = pairs.replace(/></g, '>\n<').split('\n');
  return `<metadata>\n${lines.filter(Boolean).sort().join('\n')}\n</metadata>`;
}

/** The elements of a name in the order of their texts, with what is around them. */
function sortedBlocks(text: string, name: string, within: (block: string) => string): string {
  const pattern = new RegExp(`<${name}>[\\s\\S]*?</${name}>`, 'g');
  const blocks = [...text.matchAll(pattern)].map(([block]) => within(block)).sort();
  return [text.replace(pattern, ''), ...blocks].join('\n').replace(/\n+/g, '\n');
}
