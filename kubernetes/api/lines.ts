import { ProconsulError } from '../../lib/errors.ts';

/** etcd takes objects of 1.5 MB; as JSON, with what a server adds, one is not much longer. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

/** The lines of a stream as they come, without their ends. Rejects with 'too-large' for one that is too long to be an object. */
export async function* linesOf(parts: AsyncIterable<Buffer>): AsyncIterable<string> {
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const part of parts) {
    let from = 0;
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...begun, part.subarray(from, at)]).toString();
      [begun, bytes, from] = [[], 0, at + 1];
    }
    if (from === part.length) continue;
    begun.push(part.subarray(from));
    bytes += part.length - from;
    if (bytes > MAX_LINE_BYTES) {
      throw new ProconsulError(
        'too-large',
        `a line of a watch has more than ${MAX_LINE_BYTES} bytes`,
      );
    }
  }
  // What is left broke off: it is no whole object, and comes again with the next watch.
}
