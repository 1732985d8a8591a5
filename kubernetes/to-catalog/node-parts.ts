/**
 * The node as the catalog has it: in one answer, or in parts where that is too large for a server or for this process.
 * Whoever wrote too much there would else keep everybody from reading what is to be taken out.
 */
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import {
  type Catalog,
  type CatalogAnswer,
  type CatalogRequest,
  plainJson,
  waitingFrom,
} from '../catalog.ts';
import { together } from '../together.ts';
import { MAX_READ_BYTES } from './room.ts';
import type { Shown } from './rows.ts';

/** How the ids that consul-k8s makes end: a part is of those that end alike. */
const DIGITS = [...'0123456789abcdef'];
/** Of ids that end alike by so many digits there are few, whatever a cluster has. */
const MAX_DIGITS = 6;
/** Ids in one question, which may have 255 bytes and more: a server takes a line of 32 KB. */
const MAX_NAMED = 8;
const TOO_LARGE = 413;
/** Too much is being sent for one large answer: small ones come through. */
const BUSY = 429;

/** What a part is asked for at, by what it is chosen, and what nothing has there. */
const SERVICES = { path: '/v1/catalog/node/', of: 'ID', none: 'ID == ""' };
const CHECKS = { path: '/v1/health/node/', of: 'ServiceID', none: 'CheckID == ""' };

interface Part extends Shown {
  /** Of the answers that it was in: of the services, and of the checks. */
  readonly seen: readonly [Seen, Seen];
}

/** Not the texts, which are as long as all together. */
interface Seen extends Pick<CatalogAnswer, 'index' | 'isPartial'> {
  readonly chars: number;
}

/** At which the next change of each is waited for. */
interface Indexes {
  readonly services: string;
  readonly checks: string;
}

interface Parts {
  readonly answer: CatalogAnswer;
  readonly indexes: Indexes;
  readonly chars: number;
}

/** Undefined where the answer would be too large, or has another of these statuses. */
type Ask = (
  request: Pick<CatalogRequest, 'path' | 'query'>,
  none?: readonly number[],
) => Promise<CatalogAnswer | undefined>;

/**
 * Answers for the node alone, as the catalog does for /v1/internal/ui/node/, by answers that have no more bytes each. Of a part no
 * more is held than `keeping` keeps, which begins with each read.
 */
export function wholeNode(
  catalog: Catalog,
  node: string,
  keeping: () => (part: Shown) => Shown = () => (part) => part,
  most = MAX_READ_BYTES,
): Catalog {
  /** Undefined while one answer is enough. */
  let indexes: Parts['indexes'] | undefined;
  return {
    async ask(request, signal) {
      const ask = small(catalog, most, signal);
      if (indexes === undefined) {
        const whole = await ask(request, [BUSY]);
        if (whole !== undefined) return whole;
      } else if (request.query?.some(([name]) => name === 'index') === true) {
        await untilChanged(catalog, node, indexes, signal);
      }
      const read = await inParts(node, ask, keeping());
      indexes = read.chars < most / 2 ? undefined : read.indexes;
      if (indexes !== undefined) return read.answer;
      // The whole is waited for next: what changed since its own part was read is after the earliest of all alone.
      const { services, checks } = read.indexes;
      return { ...read.answer, index: earliest([services, checks]) };
    },
  };
}

/**
 * Resolves once anything of it is otherwise. What is asked for shows nothing, so that a server writes no answer that is
 * too large each time, for nobody.
 */
async function untilChanged(
  catalog: Catalog,
  node: string,
  { services, checks }: Indexes,
  signal: AbortSignal,
): Promise<void> {
  const waiting = (list: typeof SERVICES, from: string) => async (until: AbortSignal) => {
    const path = `${list.path}${encodeURIComponent(node)}`;
    const query = [['filter', list.none] as const, ...waitingFrom(from)];
    let index = from;
    while (index === from && !until.aborted)
      ({ index } = await catalog.ask({ method: 'GET', path, query }, until));
  };
  await together([waiting(SERVICES, services), waiting(CHECKS, checks)], signal);
}

function small(catalog: Catalog, maxBytes: number, signal: AbortSignal): Ask {
  return async (request, none = []) => {
    const accept = [404, TOO_LARGE, ...none];
    const asked = { ...request, method: 'GET', accept, maxBytes } as const;
    try {
      const answer = await catalog.ask(asked, signal);
      return [TOO_LARGE, ...none].includes(answer.status) ? undefined : answer;
    } catch (error) {
      if (error instanceof ProconsulError && error.code === 'too-large') return undefined;
      throw error;
    }
  };
}

async function inParts(node: string, ask: Ask, keep: (part: Shown) => Shown): Promise<Parts> {
  const [services, checks, seen]: [Said[], Said[], Part['seen'][]] = [[], [], []];
  for await (const part of partsOf(node, '', ask)) {
    const kept = keep(part);
    for (const each of kept.services) services.push(each);
    for (const each of kept.checks) checks.push(each);
    seen.push(part.seen);
  }
  // What has changed since the first part was read is read once more.
  const indexes = {
    services: earliest(seen.map(([{ index }]) => index)),
    checks: earliest(seen.map(([, { index }]) => index)),
  };
  const all = seen.flat();
  const answer = {
    status: 200,
    index: latest([indexes.services, indexes.checks]),
    text: '',
    isPartial: all.some(({ isPartial }) => isPartial === true),
    json: { Node: node, Services: services, Checks: checks },
  };
  return { answer, indexes, chars: all.reduce((sum, { chars }) => sum + chars, 0) };
}

/** Of all whose ids end so: one part for each digit before that, and one for whatever has none there. */
async function* partsOf(node: string, end: string, ask: Ask): AsyncIterable<Part> {
  for (const digit of DIGITS) {
    const longer = `${digit}${end}`;
    const part = await partOf(node, all([`matches "${longer}$"`]), ask);
    if (part !== undefined) yield part;
    else if (longer.length < MAX_DIGITS) yield* partsOf(node, longer, ask);
    else throw tooLarge(`instances whose ids end in ${longer}`);
  }
  const others = [`matches "${end}$"`, `not matches "[0-9a-f]${end}$"`];
  const rest = await partOf(node, all(end === '' ? others.slice(1) : others), ask);
  if (rest === undefined) throw tooLarge('instances whose ids end otherwise than ours');
  yield rest;
}

function tooLarge(what: string): ProconsulError {
  return new ProconsulError('too-large', `the catalog has too much of ${what}`);
}

/** Of these ids alone, as they are after this was called. Rejects with a ProconsulError. */
export async function someOf(
  catalog: Catalog,
  node: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Shown> {
  const ask = small(catalog, MAX_READ_BYTES, signal);
  const parts: Part[] = [];
  for (let at = 0; at < ids.length; at += MAX_NAMED) {
    const named = ids.slice(at, at + MAX_NAMED).map((id) => `== ${literal(id)}`);
    const filter = (of: string) => named.map((each) => `${of} ${each}`).join(' or ');
    const part = await partOf(node, filter, ask);
    if (part === undefined) throw tooLarge('a few instances');
    parts.push(part);
  }
  const [services, checks] = [parts.map((each) => each.services), parts.map((each) => each.checks)];
  return { services: services.flat(), checks: checks.flat() };
}

/** In a filter a text ends with the first quote, whatever stands before that. */
function literal(text: string): string {
  return `"${quote(text).slice(1, -1).replaceAll('\\"', '\\x22')}"`;
}

/** All conditions, on the field of a list that says which instance it is of. */
type Filter = (of: string) => string;

function all(conditions: readonly string[]): Filter {
  return (of) => conditions.map((each) => `${of} ${each}`).join(' and ');
}

async function partOf(node: string, filter: Filter, ask: Ask): Promise<Part | undefined> {
  const asked = async ({ path, of }: typeof SERVICES) =>
    await ask({ path: `${path}${encodeURIComponent(node)}`, query: [['filter', filter(of)]] });
  const services = await asked(SERVICES);
  const checks = services && (await asked(CHECKS));
  if (services === undefined || checks === undefined) return undefined;
  const found = objectIn(plainJson(services.text));
  const list = plainJson(checks.text);
  if (services.index === '' || checks.index === '')
    throw new ProconsulError('unavailable', 'the answer for a part of a node has no index');
  if (textIn(objectIn(found['Node'])['Node']) === '' || !Array.isArray(list)) {
    throw new ProconsulError('unavailable', 'the answer is no part of a node');
  }
  return {
    services: Object.values(objectIn(found['Services'])).map(objectIn),
    checks: objectsIn(list),
    seen: [seenIn(services), seenIn(checks)],
  };
}

function seenIn({ index, isPartial = false, text }: CatalogAnswer): Seen {
  return { index, isPartial, chars: text.length };
}

function earliest(indexes: readonly string[]): string {
  return inOrder(indexes)[0] ?? '';
}

function latest(indexes: readonly string[]): string {
  return inOrder(indexes).at(-1) ?? '';
}

function inOrder(indexes: readonly string[]): readonly string[] {
  const known = indexes.filter((index) => /^\d{1,20}$/.test(index)).map(BigInt);
  return known.sort((a, b) => (a < b ? -1 : 1)).map(String);
}
