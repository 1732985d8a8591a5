import { quote } from '../go-literals.ts';
import { lookUp } from '../model.ts';
import { MAX_PATTERN_INSTRUCTIONS } from '../regexp.ts';
import type { FieldSchema, StructSchema } from './fields.ts';
import {
  type Allowance,
  compileTest,
  listOf,
  objectOf,
  type Predicate,
  WHEN_MISSING,
} from './leaf-test.ts';
import { type Expression, type Match, malformed, parseFilter } from './parse.ts';

/**
 * Makes a predicate of the `?filter=` of a request, for items as `fields` describes them. It keeps
 * no state, and may be used again and again. An empty filter lets everything pass. Throws
 * ProconsulError 'rejected', with Consul's text, when the filter is malformed or does not fit.
 */
export function compileFilter(expression: string, fields: StructSchema): Predicate {
  if (expression === '') return () => true;
  return compile(parseFilter(expression), fields, { instructions: MAX_PATTERN_INSTRUCTIONS });
}

/** The only values of a field with which anything passes; undefined where there may be others. Of a filter that can be read. */
export function onlyValues(expression: string, field: string): readonly string[] | undefined {
  return expression === '' ? undefined : valuesIn(parseFilter(expression), field);
}

function valuesIn(expression: Expression, field: string): readonly string[] | undefined {
  if (expression.type === 'match') {
    const { selector, operator, value } = expression;
    const isMeant = operator === 'Equal' && selector.length === 1 && selector[0] === field;
    return isMeant ? [value] : undefined;
  }
  if (expression.type === 'not') return undefined;
  const all = expression.operands.map((each) => valuesIn(each, field));
  if (expression.type === 'and') return all.find((each) => each !== undefined);
  const known = all.flatMap((each) => each ?? []);
  return all.includes(undefined) ? undefined : [...new Set(known)];
}

function compile(expression: Expression, fields: StructSchema, allowance: Allowance): Predicate {
  switch (expression.type) {
    case 'match':
      return compileMatch(expression, fields, allowance);
    case 'not': {
      const operand = compile(expression.operand, fields, allowance);
      return (item) => !operand(item);
    }
    case 'and': {
      const operands = expression.operands.map((each) => compile(each, fields, allowance));
      return (item) => operands.every((operand) => operand(item));
    }
    case 'or': {
      const operands = expression.operands.map((each) => compile(each, fields, allowance));
      return (item) => operands.some((operand) => operand(item));
    }
  }
}

function compileMatch(match: Match, fields: StructSchema, allowance: Allowance): Predicate {
  const steps = resolve(match.selector, fields);
  const kind = steps.at(-1)?.schema.kind ?? fields.kind;
  const test = compileTest(match, kind, allowance);
  const whenMissing = WHEN_MISSING.has(match.operator);
  return steps.reduceRight<Predicate>((rest, step) => through(step, rest, whenMissing), test);
}

/** One name of a selector: within what it is looked up, and what it leads to. */
interface Step {
  readonly within: 'struct' | 'structs' | 'map' | 'total';
  readonly key: string;
  readonly schema: FieldSchema;
}

function resolve(selector: readonly string[], fields: StructSchema): Step[] {
  const steps: Step[] = [];
  for (const key of selector) {
    const step = stepInto(steps.at(-1)?.schema ?? fields, key);
    if (step === undefined) {
      const unknown = selector.slice(0, steps.length + 1).join('.');
      throw malformed(`Selector ${quote(unknown)} is not valid`);
    }
    steps.push(step);
  }
  return steps;
}

function stepInto(schema: FieldSchema, key: string): Step | undefined {
  if (schema.kind === 'map') {
    return { within: schema.total === true ? 'total' : 'map', key, schema: schema.values };
  }
  const struct = schema.kind === 'structs' ? schema.element : schema;
  const field = struct.kind === 'struct' ? lookUp(struct.fields, key) : undefined;
  if (field === undefined) return undefined;
  return { within: schema.kind === 'structs' ? 'structs' : 'struct', key, schema: field };
}

function through({ within, key }: Step, rest: Predicate, whenMissing: boolean): Predicate {
  switch (within) {
    case 'struct':
      return (value) => rest(objectOf(value)[key]);
    case 'structs':
      // One element that matches is enough, even for != and `not in`.
      return (value) => listOf(value).some((element) => rest(objectOf(element)[key]));
    case 'total':
      return (value) => {
        const map = objectOf(value);
        return rest(Object.hasOwn(map, key) ? map[key] : undefined);
      };
    case 'map':
      return (value) => {
        const map = objectOf(value);
        return Object.hasOwn(map, key) ? rest(map[key]) : whenMissing;
      };
  }
}
