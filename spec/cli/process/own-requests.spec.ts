import { strict as assert } from 'node:assert';
import { OwnRequests } from '../../../cli/process/own-requests.ts';
import { letGoOfStalled } from '../../../lib/http/delivery.ts';
import { ReadyResponse } from '../../../lib/http/ready-exchange.ts';

const never = new AbortController().signal;

describe('OwnRequests', () => {
  it('gets an answer that is passed on as a stream, which no client may stall', async () => {
    const own = new OwnRequests((_, response) => {
      letGoOfStalled(response);
      response.writeHead(200, { 'X-Consul-Index': '7' });
      response.write('["pas');
      response.end('sed on"]');
    });
    const { json, index } = await own.ask({ path: '/v1/event/list', token: '' }, never);
    assert.deepEqual([json, index], [['passed on'], '7']);
  });

  it('gets one of many bytes whole', async () => {
    const text = JSON.stringify('x'.repeat(8 * 1024 * 1024));
    const own = new OwnRequests((_, response) => {
      letGoOfStalled(response);
      response.end(text);
    });
    const answer = await own.ask({ path: '/v1/kv/large', token: '' }, never);
    assert.equal(answer.text.length, text.length);
  });

  const nobody = () => assert.fail('it is not to be parsed');

  it('is answered without a wire by what takes a request as it is, as over one', async () => {
    const asked: string[] = [];
    const own = new OwnRequests(nobody, ({ method, url, headers }, response) => {
      asked.push(`${method} ${url} ${headers['x-consul-token']} ${headers.host}`);
      const status = url.includes('none') ? 404 : 200;
      const said = ['X-Consul-Index', '7', 'X-Consul-Results-Filtered-By-ACLs', 'true'];
      response.send({ status, headers: said, body: Buffer.from('["a"]') });
      return true;
    });
    const query = [
      ['stale', ''],
      ['dc', 'a b'],
    ] as const;
    const found = await own.ask({ path: '/v1/event/list', query, token: 'T' }, never);
    const { status, index, isPartial, json } = found;
    assert.deepEqual([status, index, isPartial, json], [200, '7', true, ['a']]);
    assert.equal((await own.ask({ path: '/v1/none', token: '' }, never)).status, 404);
    assert.deepEqual(asked, [
      'GET /v1/event/list?stale&dc=a%20b T localhost',
      'GET /v1/none undefined localhost',
    ]);
  });

  it('rejects what is refused, and what is cut off', async () => {
    const refusing = new OwnRequests(nobody, (_, response) => {
      response.send({ status: 403, headers: [], body: Buffer.from('no') });
      return true;
    });
    const question = { path: '/v1/event/list', token: '' };
    await assert.rejects(refusing.ask(question, never), /Unexpected response code: 403 \(no\)/);
    assert.equal((await refusing.ask({ ...question, accept: [403] }, never)).text, 'no');
    const cutting = new OwnRequests(nobody, (_, response) => {
      response.destroy();
      return true;
    });
    await assert.rejects(cutting.ask(question, never), /hung up/);
  });

  it('tells what answers that it has gone once nobody waits for it', async () => {
    let isOver = false;
    const own = new OwnRequests(nobody, (_, response) => {
      response.once('close', () => {
        isOver = response.destroyed;
      });
      return true;
    });
    const leaving = new AbortController();
    const answer = own.ask({ path: '/v1/event/list', token: '' }, leaving.signal);
    leaving.abort();
    await assert.rejects(answer);
    assert.ok(isOver);
  });

  it('has all parts of an answer that comes in some, and none of one that breaks off', async () => {
    const told = (parts: () => AsyncGenerator<string>) =>
      new OwnRequests(nobody, (_, response) => {
        assert.ok(response instanceof ReadyResponse);
        void response.stream({ status: 200, headers: [] }, parts());
        return true;
      }).ask({ path: '/v1/event/list', token: '' }, never);
    const whole = await told(async function* () {
      yield '["pas';
      yield 'sed on"]';
    });
    assert.deepEqual(whole.json, ['passed on']);
    const broken = told(async function* () {
      yield '["pas';
      throw new Error('away');
    });
    await assert.rejects(broken, /hung up/);
  });

  it('goes through the parser where nobody takes it as it is', async () => {
    const own = new OwnRequests(
      (_, response) => void response.end('[]'),
      () => false,
    );
    assert.deepEqual((await own.ask({ path: '/v1/event/list', token: '' }, never)).json, []);
  });
});
