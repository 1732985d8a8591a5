// A client of gRPC that knows services by xDS: `node caller.mjs xds:///web CALLERS` prints a line of JSON for each call:
// when it ended, who answered or why nobody did, and how long it took. It ends on SIGTERM. A third word names what is
// registered in place of @grpc/grpc-js-xds.
import * as grpc from '@grpc/grpc-js';

const [, , target, callers = '1', resolver = '@grpc/grpc-js-xds'] = process.argv;
const { Client, credentials } = grpc;
const { register } = await import(resolver);
register(grpc);
/** Between two calls of one caller. */
const PAUSE_MS = 10;
const DEADLINE_MS = 20_000;
const client = new Client(target, credentials.createInsecure());
const asIs = (bytes) => bytes;

function call() {
  return new Promise((resolve) => {
    const begun = performance.now();
    const options = { deadline: Date.now() + DEADLINE_MS };
    client.makeUnaryRequest(
      '/lab.Echo/Say',
      asIs,
      asIs,
      Buffer.alloc(0),
      options,
      (error, said) => {
        const ended = performance.now();
        const at = performance.timeOrigin + ended;
        const told = error ? { who: '', why: error.message } : { who: String(said), why: '' };
        process.stdout.write(`${JSON.stringify({ at, ms: ended - begun, ...told })}\n`);
        resolve();
      },
    );
  });
}

for (let i = 0; i < Number(callers); i++) {
  void (async () => {
    for (;;) {
      await call();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
}
process.on('SIGTERM', () => process.exit(0));
