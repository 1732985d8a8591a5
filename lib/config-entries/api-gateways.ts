/** What the kinds of API gateways share. */
import {
  duration,
  type Field,
  flag,
  list,
  map,
  maybe,
  namespace,
  naturals,
  text,
  texts,
  whole,
} from './fields.ts';

/** What it is about: a gateway, a listener of it, a certificate. */
export const references: Field = list({
  Kind: text,
  Name: text,
  SectionName: text,
  Namespace: namespace,
  Partition: namespace,
});

export const headerChanges: Field = list({ Add: map(text), Remove: texts, Set: map(text) });

export const jwtOf: Field = maybe({
  JWT: maybe({
    Providers: list({ Name: text, VerifyClaims: list({ Path: texts, Value: text }) }),
  }),
});

export const filters: Field = maybe({
  Headers: headerChanges,
  URLRewrite: maybe({ Path: text }),
  RetryFilter: maybe({
    NumRetries: whole,
    RetryOn: texts,
    RetryOnStatusCodes: naturals,
    RetryOnConnectFailure: flag,
  }),
  TimeoutFilter: maybe({ RequestTimeout: duration, IdleTimeout: duration }),
  JWT: maybe({ Providers: list({ Name: text, VerifyClaims: list({ Path: texts, Value: text }) }) }),
});
