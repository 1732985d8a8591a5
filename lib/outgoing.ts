/**
 * One request to a place outside the cluster: whoever knows people, whoever is to be told of a change. No
 * answer leads anywhere else, and no more of it is read than was asked for.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { ProconsulError } from './errors.ts';

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | undefined;
  readonly tls?: OutgoingTls;
  /** In place of the system's, where not every address may be reached. */
  readonly lookup?: LookupFunction;
  readonly maxAnswerBytes: number;
}

export interface OutgoingTls {
  /** Certificates of the authorities to trust, as PEM; the machine's where it is ''. */
  readonly ca?: string;
  readonly skipVerify?: boolean;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** There was more. */
  readonly isCut: boolean;
}

/** Rejects where there is no answer, and for an answer that leads elsewhere. */
export function sendOut(outgoing: Outgoing, signal: AbortSignal): Promise<OutgoingAnswer> {
  const { url, body, maxAnswerBytes } = outgoing;
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      read(response, maxAnswerBytes).then(resolve, (error: unknown) => {
        response.destroy();
        reject(error);
      });
    };
    const options = optionsOf(outgoing, signal);
    const sent =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ...tlsOptions(outgoing.tls) }, answered)
        : httpRequest(url, options, answered);
    sent.on('error', reject);
    sent.end(body);
  });
}

function optionsOf({ method, headers, body, lookup }: Outgoing, signal: AbortSignal) {
  const given = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : [...value],
  ]);
  const options: RequestOptions = {
    method,
    agent: false,
    signal,
    headers: {
      ...Object.fromEntries(given),
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
    },
    ...(lookup && { lookup }),
  };
  return options;
}

function tlsOptions({ ca = '', skipVerify = false }: OutgoingTls = {}) {
  return { ...(ca !== '' && { ca }), rejectUnauthorized: !skipVerify };
}

async function read(response: IncomingMessage, maxBytes: number): Promise<OutgoingAnswer> {
  const { statusCode: status = 0, statusMessage: statusText = '' } = response;
  if (status >= 300 && status < 400) {
    throw new ProconsulError('rejected', `${status} response: redirects are not followed`);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    parts.push(part);
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) break;
  }
  const contentType = response.headers['content-type'] ?? '';
  const body = Buffer.concat(parts).subarray(0, maxBytes);
  return { status, statusText, contentType, body, isCut: bytes > maxBytes };
}
