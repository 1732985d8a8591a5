/**
 * What servers and other agents say, read as what it claims to be: anything may answer at an address
 * that someone typed, or where a server once was. Each of these throws for what it is not.
 */

import type { ResolvedToken } from '../../lib/acl/resolving.ts';
import { type Decoder, decoder, type Schema } from '../../lib/decode.ts';
import type { BeatAnswer, Introduction, Member } from '../../lib/membership.ts';

const text: Schema = { type: 'string' };
const number: Schema = { type: 'integer' };

/** Open: what a newer server says beyond it is left out. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', open: true, required: Object.keys(properties), properties };
}

const servers: Schema = {
  type: 'array',
  items: object({
    ID: text,
    Node: text,
    Datacenter: text,
    Url: { type: 'string', pattern: '^https?://' },
  }),
};

const NO_SERVER = 'what answers is no server';

export const readBeatAnswer: Decoder<BeatAnswer> = decoder(
  {
    type: 'object',
    open: true,
    required: ['Servers', 'Known', 'NextMs'],
    properties: {
      ...{ Servers: servers, Known: { type: 'boolean' }, NextMs: { type: 'number' } },
      // Servers from before there was such a thing do not say it.
      WantsLoad: { type: 'boolean' },
      // Whatever it says, the rest of the answer is none the worse.
      Here: { type: ['object', 'null', 'array', 'string', 'number', 'boolean'], free: true },
    },
  },
  NO_SERVER,
);

export const readResolvedToken: Decoder<ResolvedToken> = decoder(
  {
    type: 'object',
    open: true,
    required: ['AccessorID', 'ExpiresAt', 'Digest'],
    properties: {
      AccessorID: text,
      ExpiresAt: { type: 'number' },
      Description: text,
      CreatedAt: { type: 'number' },
      Digest: text,
      Rules: {
        type: 'array',
        items: object({
          digest: text,
          text,
          syntax: { type: 'string', enum: ['current', 'legacy'] },
        }),
      },
    },
  },
  NO_SERVER,
);

export const readIntroduction: Decoder<Introduction> = decoder(
  object({ ID: text, Node: text, Datacenter: text, Servers: servers }),
  'it is no agent that could be joined',
);

export const readMembers: Decoder<readonly Member[]> = decoder(
  {
    type: 'array',
    items: object({
      Name: text,
      Addr: text,
      Port: number,
      Tags: { type: 'object', additionalProperties: text },
      Status: number,
      ProtocolMin: number,
      ProtocolMax: number,
      ProtocolCur: number,
      DelegateMin: number,
      DelegateMax: number,
      DelegateCur: number,
    }),
  },
  NO_SERVER,
);
