/**
 * Whether an object is what the API takes, as @kubernetes/client-node declares its types: fields that there are, of
 * their types, and none missing that must be there. Of resources that no cluster has by itself, as their own pages say.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const MODELS = join(
  dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')),
  'gen/models',
);

interface Field {
  readonly type: string;
  readonly isRequired: boolean;
}

type Fields = Readonly<Record<string, Field>>;

const required = (type: string): Field => ({ type, isRequired: true });
const optional = (type: string): Field => ({ type, isRequired: false });

/** Of the Prometheus operator and of KEDA, as much as is used. */
const OTHERS: Readonly<Record<string, Fields>> = {
  ServiceMonitor: { ...top(), spec: required('ServiceMonitorSpec') },
  ServiceMonitorSpec: {
    selector: required('V1LabelSelector'),
    endpoints: required('Array<MonitorEndpoint>'),
  },
  PodMonitor: { ...top(), spec: required('PodMonitorSpec') },
  PodMonitorSpec: {
    selector: required('V1LabelSelector'),
    podMetricsEndpoints: required('Array<MonitorEndpoint>'),
  },
  MonitorEndpoint: {
    port: required('string'),
    path: optional('string'),
    params: optional('{ [key: string]: Array<string>; }'),
    interval: optional('string'),
  },
  PrometheusRule: { ...top(), spec: required('PrometheusRuleSpec') },
  PrometheusRuleSpec: { groups: required('Array<RuleGroup>') },
  RuleGroup: { name: required('string'), rules: required('Array<Rule>') },
  Rule: {
    alert: required('string'),
    expr: required('string'),
    for: optional('string'),
    annotations: optional('{ [key: string]: string; }'),
  },
  ScaledObject: { ...top(), spec: required('ScaledObjectSpec') },
  ScaledObjectSpec: {
    scaleTargetRef: required('ScaleTarget'),
    pollingInterval: optional('number'),
    minReplicaCount: optional('number'),
    maxReplicaCount: optional('number'),
    advanced: optional('Advanced'),
    triggers: required('Array<Trigger>'),
  },
  ScaleTarget: { name: required('string') },
  Advanced: { horizontalPodAutoscalerConfig: required('AutoscalerConfig') },
  AutoscalerConfig: { behavior: optional('V2HorizontalPodAutoscalerBehavior') },
  Trigger: {
    type: required('string'),
    metricType: optional('string'),
    metadata: required('{ [key: string]: string; }'),
  },
  Kustomization: {
    ...top(),
    metadata: optional('V1ObjectMeta'),
    namespace: optional('string'),
    resources: required('Array<string>'),
    images: optional('Array<KustomizeImage>'),
  },
  KustomizeImage: {
    name: required('string'),
    newName: optional('string'),
    newTag: optional('string'),
  },
};

function top(): Fields {
  return {
    apiVersion: required('string'),
    kind: required('string'),
    metadata: required('V1ObjectMeta'),
  };
}

/** Which class a kind of a group is. */
const CLASSES: Readonly<Record<string, string>> = {
  'autoscaling/v2 HorizontalPodAutoscaler': 'V2HorizontalPodAutoscaler',
};

const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  any: () => true,
  object: (value) => typeof value === 'object',
  Date: (value) => typeof value === 'string',
  IntOrString: (value) => typeof value === 'string' || typeof value === 'number',
};

/** Each as `Kind.path: what is wrong`. */
export function faultsOf(object: Readonly<Record<string, unknown>>): readonly string[] {
  const kind = String(object['kind']);
  const name = CLASSES[`${object['apiVersion']} ${kind}`] ?? `V1${kind}`;
  return faultsIn(object, OTHERS[kind] === undefined ? name : kind, kind);
}

function faultsIn(value: unknown, type: string, path: string): readonly string[] {
  const [, item] = /^Array<(.+)>$/.exec(type) ?? [];
  if (item !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((each, i) => faultsIn(each, item, `${path}[${i}]`));
  }
  const [, entry] = /^\{ \[key: string\]: (.+); ?\}$/.exec(type) ?? [];
  if (entry !== undefined) {
    if (!isObject(value)) return [`${path} is no map`];
    return Object.entries(value).flatMap(([key, each]) => faultsIn(each, entry, `${path}.${key}`));
  }
  const isPlain = PLAIN[type];
  if (isPlain !== undefined) return isPlain(value) ? [] : [`${path} is no ${type}`];
  return objectFaults(value, type, path);
}

function objectFaults(value: unknown, type: string, path: string): readonly string[] {
  if (!isObject(value)) return [`${path} is no object`];
  const fields = OTHERS[type] ?? declared(type);
  const missing = Object.keys(fields).filter(
    (name) => fields[name]?.isRequired && !(name in value),
  );
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, each]) => {
      const field = fields[name];
      if (field === undefined) return [`${path}.${name} is not there`];
      return faultsIn(each, field.type, `${path}.${name}`);
    }),
  ];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const read = new Map<string, Fields>();

/** Of the declaration of a class: `'name'?: type;`. */
function declared(type: string): Fields {
  const known = read.get(type);
  if (known !== undefined) return known;
  const text = readFileSync(join(MODELS, `${type}.d.ts`), 'utf8');
  const body = text.slice(text.indexOf('export declare class'), text.indexOf('static readonly'));
  const fields = [...body.matchAll(/^ {4}'([^']+)'(\?)?: ((?:\{[^}]*\})|[^;]+);/gm)].map(
    ([, name = '', mark, said = '']) => {
      const plain = said.replaceAll(/\s+/g, ' ').trim();
      // A name that JavaScript has for itself is written with a line before it.
      return [name.replace(/^_/, ''), { type: plain, isRequired: mark === undefined }] as const;
    },
  );
  const all = Object.fromEntries(fields);
  read.set(type, all);
  return all;
}
