import { strict as assert } from 'node:assert';
import { OwnRequests } from '../../../cli/process/own-requests.ts';
import { letGoOfStalled } from '../../../lib/http/delivery.ts';

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
});
