/** What the flags of a proxy say. Each throws ProconsulError 'invalid' with why it is none. */
import { type PolicyName, policyNamed } from '../lib/balance/policies.ts';
import {
  notCalled,
  type SaidTuning,
  strayIn,
  TUNINGS,
  tuningIn,
  whoseIn,
} from '../lib/balance/tunings.ts';
import { durationComplaint, NS_PER_MS, parseDuration } from '../lib/duration.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { splitHostPort } from '../lib/go-error.ts';
import type { FlagValues } from './flag-values.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

const LOCAL = '127.0.0.1';
const MAX_MS = 24 * 3600_000;

/** `SERVICE:PORT` or `SERVICE:ADDRESS:PORT`, as Consul's own proxy takes it. */
export function upstreamIn(text: string): { readonly service: string; readonly at: Address } {
  const colon = text.indexOf(':');
  const [service, rest] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  if (service === '') throw refused('upstream', text, 'it is not SERVICE:PORT');
  return { service, at: addressIn('upstream', /^\d+$/.test(rest) ? `${LOCAL}:${rest}` : rest) };
}

export function addressIn(flag: string, text: string): Address {
  try {
    return splitHostPort(text);
  } catch (error) {
    throw refused(flag, text, messageOf(error));
  }
}

/** In milliseconds: at most a day. */
export function durationIn(flags: FlagValues, flag: string, byDefaultMs: number): number {
  const text = flags.text(flag);
  if (text === '') return byDefaultMs;
  const ms = (parseDuration(text) ?? Number.NaN) / NS_PER_MS;
  if (ms >= 0 && ms <= MAX_MS) return ms;
  throw refused(flag, text, Number.isNaN(ms) ? durationComplaint(text) : 'it must be 0 to 24h');
}

export function countIn(flags: FlagValues, flag: string, byDefault: number): number {
  if (!flags.has(flag)) return byDefault;
  const count = Number(flags.text(flag));
  if (count >= 1 && count <= 1_000_000) return count;
  throw refused(flag, flags.text(flag), 'it must be 1 to 1000000');
}

export function policiesIn(flags: FlagValues): ReadonlyMap<string, PolicyName> {
  return byService(flags.all('policy'), policyNamed);
}

const PROTOCOLS = ['tcp', 'http', 'http2', 'grpc'];

export function protocolsIn(flags: FlagValues): ReadonlyMap<string, string> {
  return byService(flags.all('protocol'), (name) => {
    if (PROTOCOLS.includes(name)) return name;
    throw refused('protocol', name, `there are ${PROTOCOLS.join(', ')}`);
  });
}

/** What the flags of `TUNINGS` say, each of the service that it is for. */
export function tuningsIn(flags: FlagValues): readonly SaidTuning[] {
  return [...TUNINGS.keys()].flatMap((flag) =>
    flags.all(flag).map((text) => {
      try {
        return tuningIn(flag, text);
      } catch (error) {
        if (error instanceof ProconsulError) throw refused(flag, text, error.message);
        throw error;
      }
    }),
  );
}

/** By service, and under '' what is for all others: the last of each stands. */
function byService<T>(texts: readonly string[], read: (name: string) => T): ReadonlyMap<string, T> {
  return new Map(
    texts.map((text) => {
      const [service, name] = whoseIn(text);
      return [service, read(name)] as const;
    }),
  );
}

const OF_SERVICES = ['policy', 'protocol', ...TUNINGS.keys()];

/** Every service that a flag is for. */
export function servicesIn(flags: FlagValues): ReadonlySet<string> {
  const texts = OF_SERVICES.flatMap((flag) => flags.all(flag));
  return new Set(texts.map((text) => whoseIn(text)[0]).filter((service) => service !== ''));
}

/** What is for a service that is none of these is not passed over unsaid. */
export function refuseStrays(flags: FlagValues, called: ReadonlySet<string>): void {
  for (const flag of OF_SERVICES) {
    const stray = strayIn(flags.all(flag), called);
    if (stray !== undefined) throw refused(flag, stray, notCalled(stray));
  }
}

function refused(flag: string, text: string, why: string): ProconsulError {
  const quoted = JSON.stringify(text);
  return new ProconsulError('invalid', `invalid value ${quoted} for flag -${flag}: ${why}`);
}
