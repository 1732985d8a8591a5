/** What Eureka's clients read: each a query as all others are, so that who asks the same gets the same bytes. */
import { ByteCache } from '../../lib/byte-cache.ts';
import { type Content, keyOf, type Query } from '../query/query.ts';
import type { VipKind } from '../state/eureka.ts';
import type { Form } from './decode.ts';
import {
  compact,
  hashCode,
  idOf,
  type Shape,
  type Shown,
  shown,
  shownForeign,
  shownGone,
  shownRow,
  whole,
} from './shown.ts';
import { writeXml } from './xml.ts';

export interface Look {
  readonly form: Form;
  readonly isCompact: boolean;
  /** A service that is not shown, by its folded name. */
  readonly hidden: string;
}

const MISSING: Content = { status: 404 };
/** Clients then take everything. */
const FORGOTTEN: Content = { status: 403 };

export function allApps(look: Look): Query {
  return query(look, ['apps'], (reader) => {
    const all = shownBut(
      look,
      [...reader.eureka.all()].map((stand) => shown(stand)),
    );
    return applications(look, all, { version: reader.index, hash: hashCode(all) });
  });
}

/** Of what has changed beyond that index, with the hash of all that there is by now. */
export function changedApps(look: Look, since: number): Query {
  return query(look, ['delta', String(since)], (reader) => {
    const changes = reader.eureka.changedSince(since);
    if (changes === undefined) return FORGOTTEN;
    const gone = changes.gone.flatMap(({ row, instance, t }) => {
      if (row !== undefined) return [shownGone(shownRow(row), row.ChangedAt)];
      if (instance === undefined) return [];
      return [shownGone(shownForeign({ instance, node: undefined, status: 'passing' }), t)];
    });
    const changed = [...changes.there.map((stand) => shown(stand, since)), ...gone];
    const all = shownBut(
      look,
      [...reader.eureka.all()].map((stand) => shown(stand)),
    );
    return applications(look, shownBut(look, changed), {
      version: reader.index,
      hash: hashCode(all),
    });
  });
}

export function appsByVip(look: Look, kind: VipKind, vip: string): Query {
  return query(look, [kind, vip], (reader) => {
    const found = shownBut(
      look,
      [...reader.eureka.withVip(kind, vip)].map((stand) => shown(stand)),
    );
    return applications(look, found, { version: -1, hash: hashCode(found) });
  });
}

export function oneApp(look: Look, name: string): Query {
  return query(look, ['app', name], (reader) => {
    const all = shownBut(
      look,
      [...reader.eureka.of(name)].map((stand) => shown(stand)),
    );
    const [app] = byApp(all);
    if (app === undefined) return MISSING;
    const [own, some] = app;
    const instance = some.map(look.isCompact ? compact : whole);
    return written(look, 'application', { name: own, instance });
  });
}

/** Without the app, any of them that has such an instance. */
export function oneInstance(look: Look, id: string, app?: string): Query {
  return query(look, ['instance', app ?? '', id], (reader) => {
    const there = reader.eureka.withId(id, app);
    const [found] = shownBut(look, there === undefined ? [] : [shown(there)]);
    return found === undefined ? MISSING : writtenInstance(look.form, found);
  });
}

/** By itself, in XML, a real one calls it DOWN when it is out of service: older clients know no other word. */
export function writtenInstance(form: Form, each: Shown): Content {
  const isOut = form === 'xml' && each.status === 'OUT_OF_SERVICE';
  const known = isOut ? { ...each, status: 'DOWN' as const } : each;
  return written({ form, isCompact: false }, 'instance', whole(known));
}

function query(look: Look, parts: readonly string[], run: Query['run']): Query {
  return { key: keyOf('eureka', look.form, look.isCompact, ...parts), run };
}

function shownBut({ hidden }: Look, all: readonly Shown[]): readonly Shown[] {
  return hidden === '' ? all : all.filter(({ info }) => info.app.toLowerCase() !== hidden);
}

interface Said {
  readonly version: number;
  readonly hash: string;
}

function applications(look: Look, all: readonly Shown[], { version, hash }: Said): Content {
  const apps = byApp(all);
  const said = { versions__delta: String(version), apps__hashcode: hash };
  if (!look.isCompact) return joined(look.form, apps, said);
  const application = apps.map(([name, some]) => ({ name, instance: some.map(compact) }));
  const isEmpty = { registeredApplicationsEmpty: application.length === 0 };
  return written(look, 'applications', { application, ...isEmpty, ...said });
}

type App = readonly [name: string, instances: readonly Shown[]];

/** In the order of names, and of ids. */
function byApp(all: readonly Shown[]): App[] {
  const apps = new Map<string, [id: string, each: Shown][]>();
  for (const each of all) {
    const { app } = each.info;
    const others = apps.get(app);
    if (others === undefined) apps.set(app, [[idOf(each), each]]);
    else others.push([idOf(each), each]);
  }
  return [...apps.keys()].sort().map((name) => {
    const some = (apps.get(name) ?? []).sort(([a], [b]) => (a < b ? -1 : 1));
    return [name, some.map(([, each]) => each)];
  });
}

/** What an instance keeps alive until it is written. */
const HOLDS_BYTES = 256;

/** There may be a hundred thousand, and each is a kilobyte. */
function joined(form: Form, apps: readonly App[], said: Shape): Content {
  const count = apps.reduce((sum, [, some]) => sum + some.length, 0);
  const made = () => (form === 'json' ? jsonTexts(apps, said) : xmlTexts(apps, said));
  return {
    texts: { made, holds: count * HOLDS_BYTES },
    contentType: `application/${form}`,
  };
}

function* jsonTexts(apps: readonly App[], said: Shape): Iterable<string> {
  yield `{"applications":${JSON.stringify(said).slice(0, -1)},"application":[`;
  for (const [n, [name, some]] of apps.entries()) {
    yield `${n > 0 ? ',' : ''}{"name":${JSON.stringify(name)},"instance":[`;
    for (const [i, each] of some.entries()) yield (i > 0 ? ',' : '') + textOf('json', each);
    yield ']}';
  }
  yield ']}}';
}

function* xmlTexts(apps: readonly App[], said: Shape): Iterable<string> {
  yield `<applications>\n${fieldsOf(said)}`;
  for (const [name, some] of apps) {
    yield `  <application>\n${writeXml('name', name, '    ')}`;
    for (const each of some) yield textOf('xml', each);
    yield '  </application>\n';
  }
  yield '</applications>';
}

function fieldsOf(said: Shape): string {
  return Object.entries(said)
    .map(([name, value]) => writeXml(name, value, '  '))
    .join('');
}

/** Of some thirty thousand instances in either form; a text keeps its row alive. */
const WRITTEN = { maxBytes: 64 * 1024 * 1024, rowBytes: 1024 };
const TEXTS = {
  json: new ByteCache<object, string>(WRITTEN),
  xml: new ByteCache<object, string>(WRITTEN),
};

/** As it stands in a list of all applications. */
function textOf(form: Form, each: Shown): string {
  if (each.of === undefined) return textAnew(form, each);
  const make = () => {
    const value = textAnew(form, each);
    return { value, bytes: value.length + WRITTEN.rowBytes };
  };
  return TEXTS[form].getOrKeep(each.of, make).value;
}

function textAnew(form: Form, each: Shown): string {
  const shape = whole(each);
  return form === 'json' ? JSON.stringify(shape) : writeXml('instance', shape, '    ');
}

function written(look: Pick<Look, 'form' | 'isCompact'>, name: string, shape: Shape): Content {
  const { form, isCompact } = look;
  const text =
    form === 'json'
      ? JSON.stringify({ [name]: shape })
      : writeXml(name, shape, isCompact ? null : '').trimEnd();
  return { bytes: Buffer.from(text), contentType: `application/${form}` };
}
