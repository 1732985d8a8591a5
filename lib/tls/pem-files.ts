/** Certificates and keys as files hold them: read whole, and looked at before anybody uses them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProconsulError } from '../errors.ts';
import { goFileError } from '../go-error.ts';

/** What one side shows and trusts, as PEM texts. */
export interface Pems {
  /** Undefined where no authority is named; then the system's are not trusted either. */
  readonly ca?: readonly string[];
  /** The certificate, and those between it and its authority. */
  readonly cert?: string;
  readonly key?: string;
}

export interface PemPaths {
  /** Each '' where there is none. */
  readonly caFile: string;
  /** A folder of them; looked at only where `caFile` names none. */
  readonly caPath: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Throws 'rejected' in Consul's words; what a file holds is never repeated, for it may be a key. */
export function readPems({ caFile, caPath, certFile, keyFile }: PemPaths): Pems {
  const caFiles = caFile === '' ? filesIn(caPath) : [caFile];
  return {
    ...(caFile !== '' || caPath !== '' ? { ca: caFiles.map(readAuthority) } : {}),
    ...(certFile !== '' && keyFile !== '' ? readPair(certFile, keyFile) : {}),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Those of a text, as they stand in it. */
export function certificatesIn(text: string): readonly X509Certificate[] {
  return (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
}

function readAuthority(path: string): string {
  const text = attempt(`Error loading from ${path}`, () => read(path));
  const found = attempt(`Error loading from ${path}`, () => certificatesIn(text));
  if (found.length === 0) throw refusal(`Error loading from ${path}: no certificate is in it`);
  return text;
}

const PAIR = 'Failed to load cert/key pair';

function readPair(certFile: string, keyFile: string): Required<Pick<Pems, 'cert' | 'key'>> {
  const cert = attempt(PAIR, () => read(certFile));
  const key = attempt(PAIR, () => read(keyFile));
  const [own] = attempt(PAIR, () => certificatesIn(cert));
  if (own === undefined) throw refusal(`${PAIR}: no certificate is in ${certFile}`);
  if (!own.checkPrivateKey(privateKey(key, keyFile))) {
    throw refusal(`${PAIR}: tls: private key does not match public key`);
  }
  return { cert, key };
}

function privateKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new ProconsulError('rejected', `${PAIR}: no private key can be read from ${path}`, {
      cause,
    });
  }
}

function filesIn(folder: string): readonly string[] {
  if (folder === '') return [];
  return attempt(`Error loading from ${folder}`, () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => join(folder, name)),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw cause instanceof Error ? new Error(goFileError(cause), { cause }) : cause;
  }
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refusal(`${what}: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

function refusal(text: string): ProconsulError {
  return new ProconsulError('rejected', text);
}
