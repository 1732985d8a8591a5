/** A resolver of a spec's own, which says what it is told to say, over UDP and TCP. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** From a question to an answer, or none. */
export type Say = (question: Buffer) => Buffer | undefined;

const ending: (() => void)[] = [];

afterEach(() => {
  for (const end of ending.splice(0)) end();
});

export interface FakeRecursor {
  /** host:port, as dns_config has it. */
  readonly address: string;
  /** Every question so far, as `name`. */
  readonly asked: readonly string[];
}

export async function startRecursor(say: Say): Promise<FakeRecursor> {
  const asked: string[] = [];
  const answer = (question: Buffer) => {
    asked.push(nameIn(question));
    return say(question);
  };
  const { udp, port } = await boundUdp();
  udp.on('message', (question, { port, address }) => {
    const packet = answer(question);
    if (packet !== undefined) udp.send(packet, port, address);
  });
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (framed) => {
      const packet = answer(framed.subarray(2));
      if (packet === undefined) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      socket.write(Buffer.concat([length, packet]));
    });
  });
  await new Promise<void>((done, fail) => {
    tcp.once('error', fail);
    tcp.listen(port, '127.0.0.1', done);
  });
  ending.push(() => {
    udp.close();
    tcp.close();
  });
  return { address: `127.0.0.1:${port}`, asked };
}

/** Beyond the ports that systems give out by themselves, so that it is free for TCP as well. */
let nextPort = 20_000 + (process.pid % 5000);

async function boundUdp() {
  for (;;) {
    const port = nextPort++;
    const udp = createSocket('udp4');
    const bound = await new Promise<boolean>((done) => {
      udp.once('error', () => done(false));
      udp.bind(port, '127.0.0.1', () => done(true));
    });
    if (bound) return { udp, port };
    udp.close();
  }
}

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; question[at] !== 0; at += (question[at] as number) + 1) {
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] as number)));
  }
  return labels.join('.');
}

/** The question with records for its own name; their data as it is on the wire. */
export function answered(
  question: Buffer,
  records: readonly { readonly type: number; readonly ttl: number; readonly data: Buffer }[],
  rcode = 0,
): Buffer {
  const head = Buffer.from(question.subarray(0, question.indexOf(0, 12) + 5));
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 10);
  const tails = records.map(({ type, ttl, data }) => {
    const tail = Buffer.alloc(12);
    tail.writeUInt16BE(0xc00c, 0);
    tail.writeUInt16BE(type, 2);
    tail.writeUInt16BE(1, 4);
    tail.writeUInt32BE(ttl, 6);
    tail.writeUInt16BE(data.length, 10);
    return Buffer.concat([tail, data]);
  });
  return Buffer.concat([head, ...tails]);
}
