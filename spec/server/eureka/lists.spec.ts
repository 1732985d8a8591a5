/** Lists of instances are written one after another, in each form, and looked up when a turn has room for them. */
import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { allApps, appsByVip, oneApp } from '../../../server/eureka/queries.ts';
import { writeXml } from '../../../server/eureka/xml.ts';
import { Reader } from '../../../server/query/reader.ts';
import { webOn } from '../../support/factories.ts';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';

const FORMS = [
  { form: 'json', isCompact: false },
  { form: 'json', isCompact: true },
  { form: 'xml', isCompact: false },
  { form: 'xml', isCompact: true },
] as const;

describe("Eureka's lists", () => {
  it('are written one instance after another, as if they were written as a whole', async () => {
    const { put, server } = await startServer();
    for (let n = 0; n < 20; n++) await put('/v1/catalog/register', webOn(`n${n}`));
    for (const { form, isCompact } of FORMS) {
      const look = { form, isCompact, hidden: '' };
      for (const query of [
        oneApp(look, 'web'),
        allApps(look),
        appsByVip(look, 'vipAddress', 'web'),
      ]) {
        const { texts } = query.run(new Reader(server.state, EVERYTHING));
        assert(texts !== undefined, query.key);
        const pieces = [...texts.made()];
        assert(pieces.length >= 20);
        assert(Math.max(...pieces.map(({ length }) => length)) < 2048);
        const text = pieces.join('');
        if (form === 'xml') {
          assert.equal(text.split('<instance>').length, 21);
          assert.equal(/\n/.test(text), !isCompact);
          assert.match(text, /^<application(s?)>[\s\S]*<\/application\1>$/);
          continue;
        }
        const [[name, value]] = Object.entries(JSON.parse(text)) as [[string, object]];
        assert.equal(JSON.stringify({ [name]: value }), text);
      }
    }
    const texts = (isCompact: boolean) => {
      const made = (form: 'json' | 'xml') =>
        oneApp({ form, isCompact, hidden: '' }, 'web').run(new Reader(server.state, EVERYTHING));
      return [made('json'), made('xml')].map((each) => [...(each.texts?.made() ?? [])].join(''));
    };
    for (const [isCompact, indent] of [
      [false, ''],
      [true, null],
    ] as const) {
      const [json = '', xml] = texts(isCompact);
      const { application } = JSON.parse(json);
      assert.equal(xml, writeXml('application', application, indent).trimEnd());
    }
  });

  it('are looked up in as many turns of the loop as have room for those of all who ask', async () => {
    const one = await startServer();
    const eureka = await startEureka(one);
    const { clock } = one;
    const { monotonic } = clock;
    let ms = 0;
    // Each look takes longer than a turn has room for.
    clock.monotonic = () => {
      ms += 12;
      return monotonic.call(clock) + ms;
    };
    const { answers } = one.server.deps;
    const all = Promise.all(
      Array.from({ length: 20 }, (_, n) => eureka.ask('GET', `/eureka/apps/app-${n}`)),
    );
    let isOver = false;
    void all.then(() => {
      isOver = true;
    });
    let most = 0;
    for (let before = answers.evaluations; !isOver; before = answers.evaluations) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, answers.evaluations - before);
    }
    assert.deepEqual(new Set((await all).map(({ status }) => status)), new Set([404]));
    assert(most <= 2, `${most} in one turn`);
  });
});
