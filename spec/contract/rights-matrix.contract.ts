/**
 * Every row of a server's table under every kind of token, asked at a server or through an agent, in each
 * of the ways that the place has: cold, and again from what it has kept.
 */
import assert from 'node:assert/strict';
import type { Route } from '../../lib/http/route.ts';
import { MASTER } from '../support/servers/acl-server.ts';
import type { Answer } from '../support/servers/start-server.ts';
import {
  ASKED,
  absentRequestOf,
  isForAll,
  isManagers,
  isRead,
  type Kind,
  keyOf,
  type Matrix,
  type MatrixRequest,
  requestOf,
  STRANGERS,
  said,
  UNKNOWN,
} from './rights-matrix/rows.ts';

/** Where the rows are asked. */
export interface MatrixPlace extends Matrix {
  readonly ask: (token: string, request: MatrixRequest) => Promise<Answer>;
  /** Parameters of a read, in turn: so that every way in which it may be answered comes up. */
  readonly ways: readonly string[];
  /** In front of why a server refuses. */
  readonly opening: string;
}

/** What whoever asks is told of himself alone. */
const OF_ONESELF =
  /^(?:GET \/v1\/acl\/(?:token\/self|info\/)|POST \/v1\/(?:internal\/acl\/authorize|acl\/logout))/;
/** Those whose answers hold nothing by the names of what is planted. */
const NAMELESS_ANSWERS =
  /^GET \/v1\/(?:operator\/|peering|internal\/dns\/virtual\/|health\/ingress\/|connect\/(?:ca\/configuration|intentions\/check))/;
/** As Consul's: whoever knows the id is told by these that there is such a thing. */
const TELL_OF_IDS = /^(?:GET|PUT|DELETE) \/v1\/(?:query|session)\//;
/** For a service that is not there as for one that is. */
const KNOWS_NOTHING = 'PUT /v1/internal/connect/sign';
/** Anyone may write down a query that has no name. */
const FROM_ANYONE = /^(?:POST \/v1\/query|PUT \/v1\/query\/)$/;
const LARGE = 'x'.repeat(128 * 1024);
const TIMEOUT_MS = 120_000;

export function rightsMatrix(where: string, start: () => Promise<MatrixPlace>): void {
  const begin = async () => {
    const place = await start();
    const by = (token: string, row: Route, params = '') => {
      const request = requestOf(row, place.ids);
      return place.ask(token, { ...request, target: withParams(request.target, params) });
    };
    const asked = (kind: Kind, row: Route, params?: string) => by(place.tokens[kind], row, params);
    /** Each row in each way. */
    function* everyWay(rows: readonly Route[]): IterableIterator<readonly [Route, string]> {
      for (const row of rows) for (const way of isRead(row) ? place.ways : ['']) yield [row, way];
    }
    const known = place.rows.filter((row) => !isForAll(row));
    return { ...place, known, by, asked, everyWay, index: () => place.server.server.state.index };
  };

  describe(`the matrix of rows and tokens, ${where}`, () => {
    it('leaves no row out', async () => {
      const { rows } = await begin();
      assert.deepEqual(rows.map(keyOf).sort(), Object.keys(ASKED).sort());
    });

    strangers(begin);
    unknown(begin);
    readers(begin);
    writers(begin);
  }).timeout(TIMEOUT_MS);
}

function withParams(target: string, params: string): string {
  if (params === '') return target;
  return `${target}${target.includes('?') ? '&' : '?'}${params}`;
}

/** What was asked for may be said again. */
function told({ text, headers }: Answer): string {
  const asked = /"Segment":"planted\/key"|node:write on planted$/;
  return text.replace(asked, '') + JSON.stringify(headers);
}

interface Begun extends MatrixPlace {
  /** The rows that not everybody may ask. */
  readonly known: readonly Route[];
  readonly by: (token: string, row: Route, params?: string) => Promise<Answer>;
  readonly asked: (kind: Kind, row: Route, params?: string) => Promise<Answer>;
  readonly everyWay: (rows: readonly Route[]) => IterableIterator<readonly [Route, string]>;
  /** How far the state is: whether anything was written. */
  readonly index: () => number;
}

type Begin = () => Promise<Begun>;

function strangers(begin: Begin): void {
  for (const kind of STRANGERS) {
    it(`gives nothing away that others were just shown, and lets nothing be changed: ${kind}`, async () => {
      const { known, asked, by, everyWay, index } = await begin();
      for (const [row, way] of everyWay(known)) {
        if (isRead(row)) await by(MASTER, row, way);
        const before = index();
        const answer = await asked(kind, row, way);
        const what = said(row, kind, answer);
        assert.doesNotMatch(told(answer), /planted|10\.9\.9/, what);
        if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
        if (row.right.by === 'writer') assert.equal(answer.status, 403, what);
        assert.equal(index(), before, what);
      }
    });

    it(`tells nothing of what is there by how it refuses: ${kind}`, async () => {
      const { known, asked, ask, tokens } = await begin();
      const telling = known.filter((each) => keyOf(each) !== KNOWS_NOTHING);
      for (const row of telling.filter((each) => !TELL_OF_IDS.test(keyOf(each)))) {
        const there = await asked(kind, row);
        const missing = await ask(tokens[kind], absentRequestOf(row));
        const seen = ({ status, headers, text }: Answer) => [
          ...[status, headers['x-consul-index'], headers['content-type']],
          text.replaceAll('planted', 'missing'),
        ];
        assert.deepEqual(seen(there), seen(missing), keyOf(row));
      }
    });
  }

  it('reads no large body of whoever may do nothing of what the row is for', async () => {
    const { rows, ask, ids, opening } = await begin();
    const taking = rows.filter((row) => row.body !== undefined && !FROM_ANYONE.test(keyOf(row)));
    assert(taking.length > 20);
    for (const row of taking) {
      const answer = await ask('', { ...requestOf(row, ids), body: LARGE });
      // What is larger than the row takes is refused by its size.
      if (answer.status === 413) continue;
      const what = said(row, 'none', answer);
      if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
      else
        assert.deepEqual([answer.status, answer.text], [403, `${opening}Permission denied`], what);
    }
  });
}

function unknown(begin: Begin): void {
  it('refuses a token that nobody knows, that was revoked, or has expired', async () => {
    const { known, asked, everyWay, end, index, opening } = await begin();
    // So that it is known here, and what it was shown is kept.
    for (const [row, way] of everyWay(known.filter(isRead))) {
      for (const kind of ['revoked', 'expired'] as const) {
        assert.doesNotMatch((await asked(kind, row, way)).text, /ACL not found/, keyOf(row));
      }
    }
    await end();
    const before = index();
    for (const [row, way] of everyWay(known)) {
      for (const kind of UNKNOWN) {
        for (const _ of ['once', 'again']) {
          const answer = await asked(kind, row, way);
          const expected = [403, `${opening}ACL not found`];
          assert.deepEqual([answer.status, answer.text], expected, said(row, kind, answer));
        }
      }
    }
    assert.equal(index(), before);
  });

  it('answers whatever token comes alike where anyone may', async () => {
    const { rows, asked, end } = await begin();
    await end();
    // Who the token stands for is what it is asked.
    const free = rows.filter((row) => isForAll(row) && !/acl\/(?:resolve|token)/.test(row.path));
    for (const row of free) {
      const none = await asked('none', row);
      for (const kind of UNKNOWN) {
        const { status, text } = await asked(kind, row);
        assert.deepEqual([status, text], [none.status, none.text], keyOf(row));
      }
    }
  });
}

function readers(begin: Begin): void {
  it('shows to who may read, who may change nothing', async () => {
    const { known, asked, everyWay, index } = await begin();
    for (const [row, way] of everyWay(known.filter((each) => !OF_ONESELF.test(keyOf(each))))) {
      const before = index();
      const answer = await asked('read', row, way);
      const what = said(row, 'read', answer);
      if (!isRead(row) || isManagers(row)) {
        assert.match(answer.text, /denied/, what);
        assert.equal(index(), before, what);
      } else if (!NAMELESS_ANSWERS.test(keyOf(row))) assert.match(answer.text, /planted/, what);
      else assert.doesNotMatch(answer.text, /denied/, what);
    }
  });
}

function writers(begin: Begin): void {
  it('lets who may write do so', async () => {
    const { rows, asked } = await begin();
    const order = Object.keys(ASKED);
    const inOrder = [...rows].sort((a, b) => order.indexOf(keyOf(a)) - order.indexOf(keyOf(b)));
    for (const row of inOrder) {
      const answer = await asked('write', row);
      const what = said(row, 'write', answer);
      if (isManagers(row)) assert.match(answer.text, /Permission denied$/, what);
      else if (!isForAll(row) && !OF_ONESELF.test(keyOf(row)))
        assert.doesNotMatch(answer.text, /denied/, what);
      if (row.right.by === 'writer') assert.equal(answer.status, 200, what);
    }
  });
}
