/** What Eureka's clients read: each a query as all others are, so that who asks the same gets the same bytes. */
import { type Content, keyOf, type Query } from '../query/query.ts';
import type { Reader } from '../query/reader.ts';
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

export type VipKind = 'vipAddress' | 'secureVipAddress';

export function appsByVip(look: Look, kind: VipKind, vip: string): Query {
  return query(look, [kind, vip], (reader) => {
    const all = shownBut(
      look,
      [...reader.eureka.all()].map((stand) => shown(stand)),
    );
    const found = all.filter(({ info }) => info[kind]?.split(',').includes(vip));
    return applications(look, found, { version: -1, hash: hashCode(found) });
  });
}

export function oneApp(look: Look, name: string): Query {
  return query(look, ['app', name], (reader) => {
    const all = shownBut(
      look,
      [...reader.eureka.of(name)].map((stand) => shown(stand)),
    );
    const [app] = byApp(look, all);
    return app === undefined ? MISSING : written(look, 'application', app);
  });
}

/** Without the app, any of them that has such an instance. */
export function oneInstance(look: Look, id: string, app?: string): Query {
  return query(look, ['instance', app ?? '', id], (reader) => {
    const there = app === undefined ? anywhere(reader, id) : reader.eureka.find(app, id);
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

function anywhere({ eureka }: Reader, id: string) {
  for (const stand of eureka.all()) if (idOf(shown(stand)) === id) return stand;
  return undefined;
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
  const application = byApp(look, all);
  const said = { versions__delta: String(version), apps__hashcode: hash };
  const shape = look.isCompact
    ? { application, registeredApplicationsEmpty: application.length === 0, ...said }
    : { ...said, application };
  return written(look, 'applications', shape);
}

/** In the order of names. */
function byApp({ isCompact }: Look, all: readonly Shown[]): Shape[] {
  const apps = new Map<string, Shown[]>();
  for (const each of all) {
    const { app } = each.info;
    const others = apps.get(app);
    if (others === undefined) apps.set(app, [each]);
    else others.push(each);
  }
  const shape = isCompact ? compact : whole;
  return [...apps.keys()].sort().map((name) => ({
    name,
    instance: (apps.get(name) ?? []).sort(byId).map(shape),
  }));
}

function byId(a: Shown, b: Shown): number {
  return idOf(a) < idOf(b) ? -1 : 1;
}

function written(look: Pick<Look, 'form' | 'isCompact'>, name: string, shape: Shape): Content {
  const { form, isCompact } = look;
  const text =
    form === 'json'
      ? JSON.stringify({ [name]: shape })
      : writeXml(name, shape, isCompact ? null : '').trimEnd();
  return { bytes: Buffer.from(text), contentType: `application/${form}` };
}
