/**
 * What Envoy takes of what people write. It refuses a message for the sake of one field, and all that comes with it: the
 * words of one service must not take the routes of others.
 */
import { boundedPattern } from '../../lib/regexp.ts';

/** Of one pattern. Envoys that `connect envoy` runs take more. */
const MAX_INSTRUCTIONS = 1000;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** A line end in a value would begin another field. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]/;
const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?(?::\d+)?$/i;

/** What a match says of a request, as entries have it. */
interface Matched {
  readonly PathRegex?: string;
  readonly Header?: readonly Param[] | null;
  readonly QueryParam?: readonly Param[] | null;
}

interface Param {
  readonly Name: string;
  readonly Regex?: string;
}

/** Why it cannot be told as a whole; undefined where it can. */
export function matchFault({ PathRegex = '', Header, QueryParam }: Matched): string | undefined {
  const params = [...(Header ?? []), ...(QueryParam ?? [])];
  const patterns = [PathRegex, ...params.map(({ Regex = '' }) => Regex)];
  const pattern = patterns.find((each) => each !== '' && !isPattern(each));
  if (pattern !== undefined) return `${JSON.stringify(pattern)} is no pattern of RE2`;
  if (params.some(({ Name }) => Name === '')) return 'something is matched that has no name';
  const header = (Header ?? []).find(({ Name }) => !isFieldName(Name.replace(/^:/, '')));
  return header && `${JSON.stringify(header.Name)} is no name of a header`;
}

/** Whether it is a pattern at all, in the syntax that Go and Envoy have. */
export function isPattern(text: string): boolean {
  try {
    boundedPattern(text, MAX_INSTRUCTIONS);
    return true;
  } catch {
    return false;
  }
}

export function isFieldName(text: string): boolean {
  return FIELD_NAME.test(text);
}

/** That is not of the way, which Envoy changes by other means alone. */
function isChangeable(header: string): boolean {
  return isFieldName(header) && header.toLowerCase() !== 'host';
}

function isValue(text: string): boolean {
  return !BAD_VALUE.test(text);
}

/** Envoy has variables in values: here each stands for itself. */
export function literal(value: string): string {
  return value.replaceAll('%', '%%');
}

/** Why a header cannot be changed so. */
export function changeFault(header: string, value: string): string | undefined {
  if (!isChangeable(header)) return 'no header of that name can be changed';
  if (!isValue(value)) return 'its value has a line end or another control character';
  return undefined;
}

export function isHost(domain: string): boolean {
  return domain === '*' || HOST.test(domain);
}
