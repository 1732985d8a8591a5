/** What clients send of an instance, in JSON or XML, into one form; in a real Eureka's words where it is wrong. */
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { MAX_JSON_DEPTH } from '../../lib/json-bounds.ts';
import type { StringMap } from '../../lib/model.ts';
import {
  EUREKA_STATUSES,
  type EurekaDataCenter,
  type EurekaInfo,
  type EurekaPort,
  type EurekaStatus,
  type EurekaTexts,
} from '../eureka-commands.ts';
import { Unparsable } from './faults.ts';
import { MY_OWN, type Shape } from './shown.ts';
import { readXml } from './xml.ts';

export type Form = 'json' | 'xml';

/** Of an id, a name or an address. */
const MAX_NAME_CHARS = 512;
/** Of all that it says beside them, each. */
const MAX_TEXT_CHARS = 4096;
const MAX_METADATA = 512;

const CLASSES: Readonly<Record<string, true>> = {
  [MY_OWN]: true,
  'com.netflix.appinfo.MyDataCenterInfo': true,
  'com.netflix.appinfo.AmazonInfo': true,
};
const NAMES = ['Netflix', 'Amazon', 'MyOwn'];

const TEXTS = [
  'appGroupName',
  'homePageUrl',
  'statusPageUrl',
  'healthCheckUrl',
  'secureHealthCheckUrl',
  'vipAddress',
  'secureVipAddress',
  'asgName',
] as const satisfies readonly (keyof EurekaTexts)[];

export async function decodeBody(body: Buffer, form: Form): Promise<unknown> {
  const text = body.toString('utf8');
  if (form === 'xml') return readXml(text);
  try {
    return decodeJson(text, MAX_JSON_DEPTH);
  } catch {
    throw new Unparsable();
  }
}

/** `app` is that of the path. */
export function decodeRegistration(body: unknown, form: Form, app: string): EurekaInfo {
  // A real one falls over it.
  if (body === null) throw new ProconsulError('internal', 'nothing was sent');
  return decodeInstance(shapeIn(shapeIn(body)['instance']), form, app);
}

export function decodeInstance(sent: Shape, form: Form, app: string): EurekaInfo {
  const own = textIn(sent['app']);
  if (own === undefined) throw new Unparsable();
  const instanceId = textIn(sent['instanceId'], MAX_NAME_CHARS);
  const dataCenterInfo = dataCenterIn(sent['dataCenterInfo'], form);
  const lastDirtyTimestamp = numberIn(sent['lastDirtyTimestamp']);
  const lease = mapIn(sent['leaseInfo']);
  const info = {
    ...(instanceId && { instanceId }),
    hostName: named(sent['hostName'], 'hostname'),
    ipAddr: named(sent['ipAddr'], 'ip address'),
    app: named(own, 'appName').toUpperCase(),
    status: statusIn(sent['status']) ?? 'UP',
    overriddenStatus:
      statusIn(sent['overriddenstatus']) ?? statusIn(sent['overriddenStatus']) ?? 'UNKNOWN',
    port: portIn(sent['port'], form, { number: 7001, enabled: true }),
    securePort: portIn(sent['securePort'], form, { number: 7002, enabled: false }),
    countryId: numberIn(sent['countryId']) ?? 1,
    renewalIntervalInSecs: positive(lease['renewalIntervalInSecs'], 30),
    durationInSecs: positive(lease['durationInSecs'], 90),
    metadata: metadataIn(sent['metadata']),
    ...textsIn(sent),
    isCoordinatingDiscoveryServer: textIn(sent['isCoordinatingDiscoveryServer']) === 'true',
    ...(lastDirtyTimestamp !== undefined && lastDirtyTimestamp > 0 && { lastDirtyTimestamp }),
  };
  if (info.app !== app) {
    throw wrong(`Mismatched appName, expecting ${app} but was ${info.app}`);
  }
  if (dataCenterInfo === undefined) throw wrong('Missing dataCenterInfo');
  return { ...info, dataCenterInfo };
}

export function statusNamed(text: string): EurekaStatus | undefined {
  return EUREKA_STATUSES.find((status) => status === text);
}

function wrong(text: string): ProconsulError {
  return new ProconsulError('invalid', text);
}

export function shapeIn(value: unknown): Shape {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unparsable();
  return value as Shape;
}

/** What is not there, and an empty element, is an empty object. */
function mapIn(value: unknown): Shape {
  const isNone = typeof value === 'string' && value.trim() === '';
  return value === undefined || value === null || isNone ? {} : shapeIn(value);
}

export function textIn(value: unknown, max = MAX_TEXT_CHARS): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw new Unparsable();
  const text = String(value);
  if (text.includes('\0')) throw new Unparsable();
  if (text.length > max) throw wrong(`A value is longer than ${max} characters`);
  return text;
}

function named(value: unknown, what: string): string {
  const text = textIn(value, MAX_NAME_CHARS);
  if (text === undefined || text === '') throw wrong(`Missing ${what}`);
  return text;
}

export function numberIn(value: unknown): number | undefined {
  const text = textIn(value);
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

function positive(value: unknown, fallback: number): number {
  const number = numberIn(value) ?? fallback;
  return number > 0 ? number : fallback;
}

/** One that is unknown says nothing; undefined where none was sent. */
function statusIn(value: unknown): EurekaStatus | undefined {
  const text = textIn(value);
  return text === undefined ? undefined : (statusNamed(text) ?? 'UNKNOWN');
}

function portIn(value: unknown, form: Form, fallback: EurekaPort): EurekaPort {
  if (value === undefined || value === null) return fallback;
  if (form === 'json') shapeIn(value);
  const { $: said, '@enabled': on } = typeof value === 'object' ? (value as Shape) : { $: value };
  const enabled = textIn(on);
  const number = numberIn(said);
  if (number === undefined && form === 'xml') throw new Unparsable();
  return {
    number: number !== undefined && number > 0 && number <= 65535 ? number : 0,
    enabled: enabled === undefined ? fallback.enabled : enabled.toLowerCase() === 'true',
  };
}

/** Undefined where none was sent. XML may do without the class, of which nothing else follows. */
function dataCenterIn(value: unknown, form: Form): EurekaDataCenter | undefined {
  if (value === undefined || value === null) return undefined;
  const sent = shapeIn(value);
  const name = textIn(sent['name']);
  const is = textIn(sent['@class']) ?? (form === 'xml' ? MY_OWN : '');
  if (!Object.hasOwn(CLASSES, is)) throw new Unparsable();
  if (name === undefined) throw wrong('Missing dataCenterInfo Name');
  if (!NAMES.includes(name)) throw new Unparsable();
  const isAmazon = is.endsWith('AmazonInfo');
  return {
    class: isAmazon ? is : MY_OWN,
    name,
    ...(isAmazon && { metadata: metadataIn(sent['metadata']) }),
  };
}

export function metadataIn(value: unknown): StringMap {
  const entries = Object.entries(mapIn(value)).filter(
    ([key]) => key !== '$' && !key.startsWith('@'),
  );
  if (entries.length > MAX_METADATA) throw wrong(`More than ${MAX_METADATA} entries of metadata`);
  return Object.fromEntries(entries.map(([key, each]) => [key, textIn(each) ?? 'null']));
}

function textsIn(sent: Shape): EurekaTexts {
  const said = TEXTS.map((name) => [name, textIn(sent[name])] as const);
  return Object.fromEntries(said.filter(([, text]) => text !== undefined));
}
