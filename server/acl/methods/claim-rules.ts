/** Whether a token's claims hold: who made it, for whom, and from when to when. */
import { NS_PER_MS } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Claims } from './claims.ts';

export interface ClaimRules {
  /** '' is anyone. */
  readonly BoundIssuer: string;
  readonly BoundAudiences: readonly string[];
  /** Each in nanoseconds: 0 is Consul's default, less is none. */
  readonly ExpirationLeeway: number;
  readonly NotBeforeLeeway: number;
  readonly ClockSkewLeeway: number;
}

const LEEWAY_S = 150;
const SKEW_S = 60;

/** Throws 'rejected' with Consul's words. */
export function refuseClaims(claims: Claims, rules: ClaimRules, nowMs: number): void {
  const times = timesOf(claims, rules);
  if (rules.BoundIssuer !== '' && claims['iss'] !== rules.BoundIssuer) {
    throw invalid('square/go-jose/jwt: validation failed, invalid issuer claim (iss)');
  }
  refuseTimes(times, nowMs / 1000, leewayOf(rules.ClockSkewLeeway, SKEW_S));
  refuseAudience(claims, rules.BoundAudiences);
}

/** Whether those that every token has in common are of the kind that they must be. */
export function areWellFormed(claims: Claims): boolean {
  const { iss, aud, exp, nbf, iat } = claims;
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  const isTime = (value: unknown) => value === undefined || Number.isFinite(value);
  const areTexts = Array.isArray(aud) ? aud.every((each) => typeof each === 'string') : isText(aud);
  return isText(iss) && areTexts && [exp, nbf, iat].every(isTime);
}

interface Times {
  readonly notBefore: number;
  readonly expires: number;
  readonly issued: number | undefined;
}

function timesOf({ exp, nbf, iat }: Claims, rules: ClaimRules): Times {
  const [expiry, begin, issued] = [exp, nbf, iat].map((time) => time as number | undefined);
  if (expiry === undefined && begin === undefined && issued === undefined) {
    throw refusal('no issue time, notbefore, or expiration time encoded in token');
  }
  const latest = Math.max(begin ?? 0, issued ?? 0);
  const expires = expiry ?? latest + leewayOf(rules.ExpirationLeeway, LEEWAY_S);
  const notBefore = begin ?? issued ?? expires - leewayOf(rules.NotBeforeLeeway, LEEWAY_S);
  return { notBefore, expires, issued };
}

/** In seconds. */
function leewayOf(ns: number, standard: number): number {
  return ns === 0 ? standard : Math.max(0, ns / NS_PER_MS / 1000);
}

function refuseTimes({ notBefore, expires, issued }: Times, now: number, skew: number): void {
  const failed = 'square/go-jose/jwt: validation failed,';
  if (now + skew < notBefore) throw invalid(`${failed} token not valid yet (nbf)`);
  if (now - skew > expires) throw invalid(`${failed} token is expired (exp)`);
  if (issued !== undefined && now + skew < issued) {
    throw invalid('square/go-jose/jwt: validation field, token issued in the future (iat)');
  }
}

function audiencesOf({ aud }: Claims): readonly unknown[] {
  if (aud === undefined) return [];
  return Array.isArray(aud) ? aud : [aud];
}

export function refuseAudience(claims: Claims, bound: readonly string[]): void {
  const claimed = audiencesOf(claims);
  if (bound.length === 0 && claimed.length > 0) {
    throw invalid('audience claim found in JWT but no audiences are bound');
  }
  if (bound.length > 0 && !bound.some((each) => claimed.includes(each))) {
    throw invalid('aud claim does not match any bound audience');
  }
}

function invalid(why: string): ProconsulError {
  return refusal(`error validating claims: ${why}`);
}

function refusal(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}
