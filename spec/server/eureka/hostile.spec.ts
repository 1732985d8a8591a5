import assert from 'node:assert/strict';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { instanceOf, JSON_FORM } from './instances.ts';

async function start() {
  const one = await startServer();
  const eureka = await startEureka(one);
  const post = (body: string | Buffer, form = 'json', path = '/eureka/apps/SHOP') =>
    eureka.ask('POST', path, { headers: { 'Content-Type': `application/${form}` }, body });
  return { ...one, eureka, post };
}

function shop(over: object): string {
  return JSON.stringify(instanceOf('SHOP', over));
}

const INNER = '<hostName>h</hostName><app>SHOP</app><ipAddr>1</ipAddr>';
const DATA_CENTER = '<dataCenterInfo><name>MyOwn</name></dataCenterInfo>';

describe('Eureka, told nonsense', () => {
  it('answers 400 to what it cannot read, in the form of the body', async () => {
    const { post } = await start();
    for (const body of ['[', '[]', '1', '"x"', '{"instance":[]}', `${'['.repeat(1e5)}`]) {
      const { status, text } = await post(body);
      assert.deepEqual([status, text], [400, '{"error": "cannot parse request body"}'], body);
    }
    for (const body of ['<', '<a/>', '<instance>', 'x', `${'<a>'.repeat(1e4)}`]) {
      const { status, text } = await post(body, 'xml');
      const wanted = '<error><message>cannot parse request body</message></error>';
      assert.deepEqual([status, text], [400, wanted], body.slice(0, 20));
    }
  });

  it('answers 400 to an object where a text belongs, and does nothing of its batch by halves', async () => {
    const { eureka, post, server } = await start();
    const no = { $: { toString: 1 } };
    for (const over of [
      { hostName: no },
      { leaseInfo: { durationInSecs: no } },
      { metadata: { k: no } },
    ]) {
      assert.equal((await post(shop(over))).status, 400, JSON.stringify(over));
    }
    const item = (over: object) => {
      const { instance } = instanceOf('SHOP', over) as { instance: { instanceId: string } };
      const { instanceId: id } = instance;
      return { appName: 'SHOP', id, action: 'Register', instanceInfo: instance };
    };
    const { json } = await eureka.ask('POST', '/eureka/peerreplication/batch/', {
      headers: { 'Content-Type': 'application/json' },
      body: { replicationList: [item({ instanceId: 'a' }), item({ vipAddress: no })] },
    });
    assert.deepEqual(json, { responseList: [{ statusCode: 200 }, { statusCode: 400 }] });
    assert.equal(server.state.eureka.rows.size, 1);
  });

  it('answers 400 to a list where a text belongs in JSON', async () => {
    const { post } = await start();
    for (const over of [
      { hostName: ['h'] },
      { vipAddress: ['a', 'b'] },
      { metadata: { k: ['v'] } },
      { port: { $: [80], '@enabled': 'true' } },
      { leaseInfo: { durationInSecs: [5] } },
    ]) {
      assert.equal((await post(shop(over))).status, 400, JSON.stringify(over));
    }
  });

  it('reads XML as a real one does: of two the last, spaces, what is in a text, and its ports', async () => {
    const { eureka, post } = await start();
    const shown = async (body: string) => {
      const sent = `<instance><instanceId>x</instanceId>${INNER}${DATA_CENTER}${body}</instance>`;
      const { status } = await post(sent, 'xml');
      if (status !== 204) return status;
      const { json } = await eureka.ask('GET', '/eureka/apps/SHOP/x', { headers: JSON_FORM });
      await eureka.ask('DELETE', '/eureka/apps/SHOP/x');
      return (json as { instance: Record<string, unknown> }).instance;
    };
    const twice = await shown('<vipAddress>a</vipAddress><vipAddress k="v"> b </vipAddress>');
    assert.equal((twice as Record<string, unknown>)['vipAddress'], ' b ');
    const all = '<a>1</a><a>2</a><b k="v">3</b><c/><d><e>1</e></d><f> x </f><g><![CDATA[<]]></g>';
    const metadata = await shown(`<metadata>\n ${all}\n</metadata>`);
    assert.deepEqual((metadata as Record<string, unknown>)['metadata'], {
      ...{ a: '2', b: '3', c: '', d: '', f: ' x ', g: '<' },
    });
    const ports = await shown('<port enabled="false">1</port><port enabled="TRUE">2</port>');
    assert.deepEqual((ports as Record<string, unknown>)['port'], { $: 2, '@enabled': 'true' });
    assert.equal(await shown('<port>x</port>'), 400);
    assert.equal(await shown('<hostName><a>h</a></hostName>'), 400);
  });

  it('reads no XML that is made of marks, which would take long', async () => {
    const { post } = await start();
    const attributes = Array.from({ length: 10_000 }, (_, n) => `a${n}="1"`).join(' ');
    for (const body of [
      `<instance>${INNER}${DATA_CENTER}${'<a/>'.repeat(9000)}</instance>`,
      `<instance>${INNER}${DATA_CENTER}<a ${attributes}/></instance>`,
      `<instance>${INNER}${DATA_CENTER}<a>${'&amp;'.repeat(9000)}</a></instance>`,
    ]) {
      assert.equal((await post(body, 'xml')).status, 400, body.slice(0, 200));
    }
  });

  it('reads characters of XML that are told by their number, as it writes some', async () => {
    const { eureka, post } = await start();
    const metadata = '<metadata><k>a&#xd;&#8364;&amp;#65;</k></metadata>';
    const body = `<instance>${INNER}${DATA_CENTER}${metadata}</instance>`;
    assert.equal((await post(body, 'xml')).status, 204);
    const { text } = await eureka.ask('GET', '/eureka/apps/SHOP', { headers: JSON_FORM });
    assert.match(text, /"k":"a\\r€&#65;"/);
  });

  it('calls no element of XML what is no name, whatever edition of it the reader knows', async () => {
    const { eureka, post } = await start();
    const keys = ['→', 'a→', '×', 'a÷', '€', '·a', 'a\u2028', '\u0300', '😀', 'ä-1'];
    const metadata = Object.fromEntries(keys.map((key, n) => [key, String(n)]));
    assert.equal((await post(shop({ metadata }))).status, 204);
    const { text } = await eureka.ask('GET', '/eureka/apps/SHOP');
    const [, inner = ''] = /<metadata>([\s\S]*)<\/metadata>/.exec(text) ?? [];
    const names = [...inner.matchAll(/<([^/>]*)>/g)].map(([, name]) => name);
    assert.deepEqual(names, ['_', 'a_', '_', 'a_', '_', '_a', 'a_', '_', '__', 'ä-1']);
  });

  it('reads no XML that declares entities', async () => {
    const { post } = await start();
    const lol = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>';
    const body = `${lol}<instance>${INNER}<vipAddress>&b;</vipAddress>${DATA_CENTER}</instance>`;
    assert.equal((await post(body, 'xml')).status, 400);
    const file = '<!DOCTYPE a SYSTEM "file:///etc/passwd">';
    assert.equal((await post(`${file}<instance/>`, 'xml')).status, 400);
  });

  it('refuses what is longer or more than it may be', async () => {
    const { post, server } = await start();
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`k${n}`, 'v']));
    const cases: [string, number][] = [
      [shop({ instanceId: 'x'.repeat(513) }), 400],
      [shop({ hostName: 'x'.repeat(513) }), 400],
      [shop({ homePageUrl: 'x'.repeat(5000) }), 400],
      [shop({ metadata: many }), 400],
      [shop({ instanceId: 'a\0b' }), 400],
      [shop({ metadata: { long: 'x'.repeat(300_000) } }), 413],
    ];
    for (const [body, wanted] of cases) {
      assert.equal((await post(body)).status, wanted, body.slice(0, 80));
    }
    assert.equal(server.state.eureka.rows.size, 0);
  });

  it('takes names that mean something to a language for names', async () => {
    const { eureka } = await start();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const metadata = Object.fromEntries([[name, name]]);
      const sent = instanceOf(name.toUpperCase(), { instanceId: name, metadata });
      const path = `/eureka/apps/${name}`;
      const headers = { 'Content-Type': 'application/json' };
      assert.equal((await eureka.ask('POST', path, { headers, body: sent })).status, 204);
      const { text } = await eureka.ask('GET', `${path}/${name}`, { headers: JSON_FORM });
      assert.match(text, new RegExp(`"metadata":{"${name}":"${name}"}`));
    }
  });

  it('writes XML that can be read, whatever metadata is called and says', async () => {
    const { eureka, post } = await start();
    const metadata = { 'a b<': '\u0000\u0007]]>', '1': '\ud800', '': 'x', 'xml:lang': '"\'&' };
    assert.equal((await post(shop({ metadata: { ...metadata, '\u0000': '' } }))).status, 400);
    const { '': _, ...some } = metadata;
    assert.equal((await post(shop({ metadata: { ...some, 'a b<': '\u0007]]>' } }))).status, 204);
    const { text } = await eureka.ask('GET', '/eureka/apps/SHOP');
    assert.match(text, /<a_b_>\]\]&gt;<\/a_b_>/);
    assert.match(text, /<_1>\ufffd<\/_1>/);
    assert.match(text, /<xml_lang>&quot;&apos;&amp;<\/xml_lang>/);
  });

  it('answers paths that are none', async () => {
    const { eureka } = await start();
    for (const path of ['/eureka/apps/%', '/eureka/apps/%ff', '/eureka/apps/a/b/c/d', '/x', '//']) {
      const { status, text } = await eureka.ask('GET', path, { headers: JSON_FORM });
      assert(status === 404 || status === 400, `${path}: ${status}`);
      assert.doesNotMatch(text, /node_modules/);
    }
    assert.equal((await eureka.ask('PUT', '/eureka/apps/A/%00')).status, 404);
    assert.equal((await eureka.ask('TRACE', '/eureka/apps')).status, 405);
  });

  it('does nothing of a batch of which it cannot read all', async () => {
    const { eureka, server } = await start();
    const { instance } = JSON.parse(shop({})) as { instance: object };
    const register = { appName: 'SHOP', id: 'x', action: 'Register', instanceInfo: instance };
    const batch = (list: unknown) =>
      eureka.ask('POST', '/eureka/peerreplication/batch/', {
        headers: { 'Content-Type': 'application/json' },
        body: { replicationList: list },
      });
    for (const list of [[register, {}], [register, null], 7, {}, Array(2049).fill(register)]) {
      assert.equal((await batch(list)).status, 400);
    }
    assert.equal(server.state.eureka.rows.size, 0);
    const { json } = await batch([{ ...register, instanceInfo: [] }, register]);
    assert.deepEqual(json, { responseList: [{ statusCode: 400 }, { statusCode: 200 }] });
  });
});
