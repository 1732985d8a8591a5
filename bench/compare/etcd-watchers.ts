/** Many who watch one key of etcd, each by a connection of its own. Reports when the last one has heard. */
import { connect } from 'node:http2';
import process from 'node:process';
import { framed, messagesIn, watchRequest } from './etcd-messages.ts';

interface Order {
  readonly port: number;
  readonly key: string;
  readonly count: number;
}

/** That connect at a time. */
const CONNECTING = 100;

/** Resolves when etcd has taken the watch; `heard` is called at the first event. */
function watch({ port, key }: Order, heard: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': '/etcdserverpb.Watch/Watch',
        'content-type': 'application/grpc',
        te: 'trailers',
      },
      { endStream: false },
    );
    let got: Buffer = Buffer.alloc(0);
    let messages = 0;
    stream.on('data', (chunk: Buffer) => {
      const { count, rest } = messagesIn(Buffer.concat([got, chunk]));
      got = rest;
      const before = messages;
      messages += count;
      if (before < 1 && messages >= 1) resolve();
      if (before < 2 && messages >= 2) heard();
    });
    stream.once('error', reject);
    stream.write(framed(watchRequest(key)));
  });
}

process.on('message', async (order: Order) => {
  let left = order.count;
  const heard = () => {
    if (--left === 0) process.send?.({ lastAt: String(process.hrtime.bigint()) });
  };
  for (let at = 0; at < order.count; at += CONNECTING) {
    const some = Math.min(CONNECTING, order.count - at);
    await Promise.all(Array.from({ length: some }, () => watch(order, heard)));
  }
  process.send?.({ waiting: true });
});
