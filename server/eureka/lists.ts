/**
 * Lists of applications, written one instance after another: there may be a hundred thousand, and each is a
 * kilobyte, which most have been written as before.
 */
import { ByteCache } from '../../lib/byte-cache.ts';
import { appOf, foreignId, type Stand } from '../query/eureka-reader.ts';
import type { Content } from '../query/query.ts';
import type { Form } from './decode.ts';
import { compact, type Shape, type Shown, shown, whole } from './shown.ts';
import { writeXml } from './xml.ts';

/** In a list of changes, also one that has gone. */
export type Item = Stand | { readonly gone: Shown };

/** In the order of names. */
export type Apps = readonly (readonly [name: string, instances: readonly Item[]])[];

interface Wanted {
  readonly form: Form;
  readonly isCompact: boolean;
}

interface Said {
  readonly version: number;
  readonly hash: string;
  /** The index beyond which what came is new. */
  readonly since?: number;
}

/** What an instance keeps alive until it is written. */
const HOLDS_BYTES = 128;

export function byApp(all: readonly Item[]): Apps {
  const names = new Map<string, string>();
  const apps = new Map<string, Item[]>();
  for (const item of all) {
    const name = appName(item, names);
    const others = apps.get(name);
    if (others === undefined) apps.set(name, [item]);
    else others.push(item);
  }
  return [...apps.keys()].sort().map((name) => [name, apps.get(name) ?? []]);
}

function appName(item: Item, names: Map<string, string>): string {
  if ('gone' in item) return item.gone.info.app;
  if ('row' in item) return item.row.Info.app;
  const { Service: service } = item.instance;
  const known = names.get(service);
  if (known !== undefined) return known;
  const name = appOf(service);
  names.set(service, name);
  return name;
}

/** In the order of ids. */
export function shownIn(items: readonly Item[], since = 0): readonly Shown[] {
  return items
    .map((item) => [idOf(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => ('gone' in item ? item.gone : shown(item, since)));
}

/** What it is known by among those of its app. */
function idOf(item: Item): string {
  if ('row' in item) return item.row.Id;
  if ('instance' in item) return foreignId(item.instance);
  const { info } = item.gone;
  return info.instanceId ?? info.dataCenterInfo.metadata?.['instance-id'] ?? info.hostName;
}

export function writtenApps(wanted: Wanted, apps: Apps, { version, hash, since }: Said): Content {
  const said = { versions__delta: String(version), apps__hashcode: hash };
  const { form, isCompact } = wanted;
  if (isCompact) {
    const application = apps.map(([name, items]) => {
      return { name, instance: shownIn(items, since).map(compact) };
    });
    const isEmpty = { registeredApplicationsEmpty: application.length === 0 };
    return written(wanted, 'applications', { application, ...isEmpty, ...said });
  }
  const count = apps.reduce((sum, [, items]) => sum + items.length, 0);
  const made = () => (form === 'json' ? jsonTexts(apps, said, since) : xmlTexts(apps, said, since));
  return {
    texts: { made, holds: count * HOLDS_BYTES },
    contentType: `application/${form}`,
  };
}

function* jsonTexts(apps: Apps, said: Shape, since?: number): Iterable<string> {
  yield `{"applications":${JSON.stringify(said).slice(0, -1)},"application":[`;
  for (const [n, [name, items]] of apps.entries()) {
    yield `${n > 0 ? ',' : ''}{"name":${JSON.stringify(name)},"instance":[`;
    for (const [i, each] of shownIn(items, since).entries()) {
      yield (i > 0 ? ',' : '') + textOf('json', each);
    }
    yield ']}';
  }
  yield ']}}';
}

function* xmlTexts(apps: Apps, said: Shape, since?: number): Iterable<string> {
  const fields = Object.entries(said).map(([name, value]) => writeXml(name, value, '  '));
  yield `<applications>\n${fields.join('')}`;
  for (const [name, items] of apps) {
    yield `  <application>\n${writeXml('name', name, '    ')}`;
    for (const each of shownIn(items, since)) yield textOf('xml', each);
    yield '  </application>\n';
  }
  yield '</applications>';
}

/** Of some thirty thousand instances in either form; a text keeps its row alive. */
const KEPT = { maxBytes: 64 * 1024 * 1024, rowBytes: 1024 };
const TEXTS = {
  json: new ByteCache<object, string>(KEPT),
  xml: new ByteCache<object, string>(KEPT),
};

/** As it stands in a list of all applications. */
function textOf(form: Form, each: Shown): string {
  if (each.of === undefined) return textAnew(form, each);
  const make = () => {
    const value = textAnew(form, each);
    return { value, bytes: value.length + KEPT.rowBytes };
  };
  return TEXTS[form].getOrKeep(each.of, make).value;
}

function textAnew(form: Form, each: Shown): string {
  const shape = whole(each);
  return form === 'json' ? JSON.stringify(shape) : writeXml('instance', shape, '    ');
}

export function written({ form, isCompact }: Wanted, name: string, shape: Shape): Content {
  const text =
    form === 'json'
      ? JSON.stringify({ [name]: shape })
      : writeXml(name, shape, isCompact ? null : '').trimEnd();
  return { bytes: Buffer.from(text), contentType: `application/${form}` };
}
