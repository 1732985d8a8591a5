/**
 * The node as the catalog has it: in one answer, or in parts where that is too large for a server or for this process.
 * Whoever wrote too much there would else keep everybody from reading what is to be taken out.
 */
import { ProconsulError } from '../../lib/errors.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type Catalog, type CatalogAnswer, type CatalogRequest, plainJson } from '../catalog.ts';
import { MAX_READ_BYTES } from './room.ts';

/** How the ids that consul-k8s makes end: a part is of those that end alike. */
const DIGITS = [...'0123456789abcdef'];
/** Of ids that end alike by so many digits there are few, whatever a cluster has. */
const MAX_DIGITS = 6;
const TOO_LARGE = 413;

interface Part {
  readonly services: readonly Said[];
  readonly checks: readonly Said[];
  /** Of the answers that it was in. */
  readonly seen: readonly Seen[];
}

/** Not the texts, which are as long as all together. */
type Seen = Pick<CatalogAnswer, 'index' | 'isPartial'>;

type Ask = (request: Pick<CatalogRequest, 'path' | 'query'>) => Promise<CatalogAnswer | undefined>;

/** Answers for the node alone, as the catalog does for /v1/internal/ui/node/. */
export function wholeNode(catalog: Catalog, node: string): Catalog {
  return {
    async ask(request, signal) {
      const ask = small(catalog, signal);
      const whole = await ask(request);
      return whole ?? (await inParts(node, ask));
    },
  };
}

/** Undefined where the answer would be too large. */
function small(catalog: Catalog, signal: AbortSignal): Ask {
  return async (request) => {
    const accept = [404, TOO_LARGE];
    const asked = { ...request, method: 'GET', accept, maxBytes: MAX_READ_BYTES } as const;
    try {
      const answer = await catalog.ask(asked, signal);
      return answer.status === TOO_LARGE ? undefined : answer;
    } catch (error) {
      if (error instanceof ProconsulError && error.code === 'too-large') return undefined;
      throw error;
    }
  };
}

async function inParts(node: string, ask: Ask): Promise<CatalogAnswer> {
  const [services, checks, seen]: [Said[], Said[], Seen[]] = [[], [], []];
  for await (const part of partsOf(node, '', ask)) {
    services.push(...part.services);
    checks.push(...part.checks);
    seen.push(...part.seen);
  }
  return {
    status: 200,
    index: earliest(seen.map(({ index }) => index)),
    text: '',
    isPartial: seen.some(({ isPartial }) => isPartial === true),
    json: { Node: node, Services: services, Checks: checks },
  };
}

/** Of all whose ids end so: one part for each digit before that, and one for whatever has none there. */
async function* partsOf(node: string, end: string, ask: Ask): AsyncIterable<Part> {
  for (const digit of DIGITS) {
    const longer = `${digit}${end}`;
    const part = await partOf(node, [`matches "${longer}$"`], ask);
    if (part !== undefined) yield part;
    else if (longer.length < MAX_DIGITS) yield* partsOf(node, longer, ask);
    else throw tooLarge(`instances whose ids end in ${longer}`);
  }
  const others = [`matches "${end}$"`, `not matches "[0-9a-f]${end}$"`];
  const rest = await partOf(node, end === '' ? others.slice(1) : others, ask);
  if (rest === undefined) throw tooLarge('instances whose ids end otherwise than ours');
  yield rest;
}

function tooLarge(what: string): ProconsulError {
  return new ProconsulError('too-large', `the catalog has too much of ${what}`);
}

async function partOf(
  node: string,
  conditions: readonly string[],
  ask: Ask,
): Promise<Part | undefined> {
  const at = encodeURIComponent(node);
  const filter = (of: string) => conditions.map((each) => `${of} ${each}`).join(' and ');
  const asked = async (path: string, of: string) =>
    await ask({ path: `${path}${at}`, query: [['filter', filter(of)]] });
  const services = await asked('/v1/catalog/node/', 'ID');
  const checks = services && (await asked('/v1/health/node/', 'ServiceID'));
  if (services === undefined || checks === undefined) return undefined;
  const found = objectIn(plainJson(services.text));
  const list = plainJson(checks.text);
  if (textIn(objectIn(found['Node'])['Node']) === '' || !Array.isArray(list)) {
    throw new ProconsulError('unavailable', 'the answer is no part of a node');
  }
  return {
    services: Object.values(objectIn(found['Services'])).map(objectIn),
    checks: objectsIn(list),
    seen: [services, checks].map(({ index, isPartial = false }) => ({ index, isPartial })),
  };
}

/** What has changed since then is read once more. */
function earliest(indexes: readonly string[]): string {
  const known = indexes.filter((index) => /^\d{1,20}$/.test(index)).map(BigInt);
  const [first = ''] = known.sort((a, b) => (a < b ? -1 : 1)).map(String);
  return first;
}
