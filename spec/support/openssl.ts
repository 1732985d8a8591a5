/** What openssl, which is not ours, says of certificates. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Chain {
  readonly roots: readonly string[];
  /** The certificate, and behind it what stands between it and a root. */
  readonly chain: string;
  /** When it is looked at, milliseconds since 1970. */
  readonly at: number;
}

/** '' where it verifies, else why it does not. */
export async function complaintOfOpenssl({ roots, chain, at }: Chain): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-openssl-'));
  const file = (name: string) => join(folder, name);
  try {
    await writeFile(file('roots.pem'), roots.join(''));
    await writeFile(file('chain.pem'), chain);
    const time = ['-attime', String(Math.floor(at / 1000))];
    const trust = ['-CAfile', file('roots.pem'), '-untrusted', file('chain.pem')];
    await run('openssl', ['verify', '-x509_strict', ...time, ...trust, file('chain.pem')]);
    return '';
  } catch (error) {
    return String((error as { stderr?: string }).stderr || error);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** All that it says of a certificate, but for the signature. */
export async function textOfOpenssl(certificate: string): Promise<string> {
  const asked = run('openssl', ['x509', '-noout', '-text', '-certopt', 'no_sigdump']);
  asked.child.stdin?.end(certificate);
  return (await asked).stdout;
}
