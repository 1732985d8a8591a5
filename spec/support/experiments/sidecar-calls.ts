/** How a sidecar is called again and again. Each rejects where its call is lost. */
import { type Agent, request } from 'node:http';
import { type ClientHttp2Session, connect as connectH2, constants } from 'node:http2';
import { connect } from 'node:net';

export type Call = () => Promise<void>;

export function byHttp(port: number, agent: Agent | false): Call {
  return () =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
        response.resume();
        response.on('error', reject);
        response.on('end', () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`status ${response.statusCode}`)),
        );
      });
      sent.on('error', reject);
      sent.end();
    });
}

/** On one connection, until it says that it takes no more. */
export function byH2(port: number): Call {
  let session: ClientHttp2Session | undefined;
  /** Of the connection: said after its streams have closed. */
  let fault: Error | undefined;
  const call = (isAgain: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      if (session === undefined || session.closed || session.destroyed) {
        session = connectH2(`http://127.0.0.1:${port}`);
        const own = session;
        own.on('goaway', () => {
          if (session === own) session = undefined;
          own.close();
        });
        fault = undefined;
        own.on('error', (error) => {
          fault = error;
        });
      }
      const stream = session.request({ ':path': '/' });
      stream.on('response', (answer) => {
        if (answer[':status'] !== 200) reject(new Error(`status ${answer[':status']}`));
      });
      const own = session;
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (stream.rstCode === 0) resolve();
        // Node's client refuses by itself what it has not sent when a warning comes: it goes on the next connection.
        else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && own.closed && !isAgain)
          call(true).then(resolve, reject);
        else setImmediate(() => reject(fault ?? new Error(`reset with ${stream.rstCode}`)));
      });
      stream.resume();
    });
  return () => call(false);
}

/** A connection that is held for a while, and says the same again and again. */
export function byConnection(port: number): Call {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const ask = () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      let answers = 0;
      socket.on('connect', ask);
      socket.on('data', () => {
        if (++answers < 10) ask();
        else socket.end();
      });
      socket.on('error', reject);
      socket.on('close', () =>
        answers === 10 ? resolve() : reject(new Error(`closed after ${answers} answers`)),
      );
    });
}
