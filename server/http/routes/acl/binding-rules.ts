/** /v1/acl/binding-rule and /v1/acl/binding-rules. */
import { isIdentityName } from '../../../../lib/acl/identities.ts';
import type { BindingRuleDefinition } from '../../../../lib/acl/model.ts';
import { decoder } from '../../../../lib/decode.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import { compileFilter } from '../../../../lib/filter/compile-filter.ts';
import type { StructSchema } from '../../../../lib/filter/fields.ts';
import { MALFORMED } from '../../../../lib/filter/parse.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { param } from '../../../../lib/http/takes.ts';
import { canonicalId, isUuid } from '../../../../lib/ids.ts';
import { bindNameComplaint, filledIn } from '../../../acl/methods/bind-name.ts';
import { BIND_TYPES } from '../../../acl/methods/bind-types.ts';
import { METHOD_TYPES } from '../../../acl/methods/types.ts';
import * as queries from '../../../query/acl-methods.ts';
import type { Acl } from '../../../state/acl.ts';
import { METHOD_STAYS } from '../../../state/method-commands.ts';
import { fold } from '../../../state/topic-names.ts';
import { write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import {
  ACL_READ,
  type AclDeps,
  badRequest,
  currentAcl,
  rejected,
  requiredId,
  writeRows,
} from './deps.ts';

export function bindingRuleRoutes(deps: AclDeps): Route[] {
  return [
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/binding-rules',
      params: { authmethod: param.text('only those of this auth method') },
      does: 'lists the binding rules; with ?authmethod those of one method',
      query: ({ params }) => queries.bindingRules(params.get('authmethod')),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/binding-rule/',
      answers: { 404: 'there is none' },
      rest: 'id',
      does: 'shows a binding rule',
      query: ({ rest }) => queries.bindingRule(requiredId(rest, 'binding rule')),
      bareMissing: true,
    }),
    ...writeRows(deps, {
      path: '/v1/acl/binding-rule',
      rest: 'id',
      body: ruleBody,
      makes: 'makes a binding rule',
      changes: 'changes a binding rule',
      removes: 'removes a binding rule',
      set: (request) => set(deps, request),
      remove: (rest) => ({ type: 'delete-binding-rule', id: requiredId(rest, 'binding rule') }),
    }),
  ];
}

const text = { type: 'string', default: '' } as const;
const ruleBody = decoder<BindingRuleDefinition>(
  {
    type: 'object',
    properties: {
      ID: text,
      Description: text,
      AuthMethod: text,
      Selector: text,
      BindType: text,
      BindName: text,
      BindVars: { type: 'object', nullable: true, default: null, properties: { Name: text } },
    },
    unheeded: ['CreateIndex', 'ModifyIndex'],
  },
  'Bad request: BindingRule decoding failed',
);

async function set(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(ruleBody);
  const { rest } = request;
  if (body.ID !== '' && body.ID !== rest) {
    throw badRequest('BindingRule ID in URL and payload do not match');
  }
  if (rest !== '' && !isUuid(rest)) throw rejected('Binding Rule ID invalid UUID');
  const update = rest !== '';
  const ID = update ? canonicalId(rest) : deps.random.uuid();
  const rule = checked(await currentAcl(deps), { ...body, ID }, update);
  await write(request, deps, { type: 'set-binding-rule', rule, update });
  const row = deps.state().acl.bindingRules.get(ID);
  // Somebody may have removed it again by now: then what was written is all there is to say.
  return { json: queries.shownRule(row ?? { ...rule, CreateIndex: 0, ModifyIndex: 0 }) };
}

function checked(acl: Acl, body: BindingRuleDefinition, update: boolean): BindingRuleDefinition {
  const before = acl.bindingRules.get(body.ID);
  if (update && before === undefined) throw rejected(`cannot find binding rule ${body.ID}`);
  const named = body.AuthMethod === '' ? (before?.AuthMethod ?? '') : body.AuthMethod;
  if (before !== undefined && fold(named) !== fold(before.AuthMethod)) throw rejected(METHOD_STAYS);
  if (named === '') throw invalid('no AuthMethod is set');
  const method = acl.authMethod(named);
  const type = METHOD_TYPES.get(method?.Type ?? '');
  if (method === undefined || type === undefined) {
    throw rejected(`cannot find auth method with name ${JSON.stringify(named)}`);
  }
  refuseSelector(body.Selector, type.fields);
  const BindVars = checkedBind(body, type.variables(method.Config));
  return { ...body, AuthMethod: method.Name, BindVars };
}

function invalid(why: string): ProconsulError {
  return rejected(`Invalid Binding Rule: ${why}`);
}

function refuseSelector(selector: string, fields: StructSchema): void {
  try {
    compileFilter(selector, fields);
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    const why = cause.message.replace(MALFORMED, '');
    throw rejected(`invalid Binding Rule: Selector is invalid: ${why}`);
  }
}

/** The variable of a template, where there is to be one. */
function checkedBind(
  { BindType, BindName, BindVars }: BindingRuleDefinition,
  known: readonly string[],
): BindingRuleDefinition['BindVars'] {
  if (BindType === '') throw invalid('no BindType is set');
  const type = BIND_TYPES.get(BindType);
  if (type === undefined) throw invalid(`unknown BindType ${JSON.stringify(BindType)}`);
  if (BindName === '') throw invalid('no BindName is set');
  const name = sample(BindName, 'BindName', known);
  const isFixed = name === BindName;
  if (!type.isName(name) && (isFixed || type.needsVars === undefined)) {
    throw invalid('invalid BindName');
  }
  if (type.needsVars === undefined) {
    if (BindVars !== null) throw invalid('BindVars are of the BindType "templated-policy" alone');
    return null;
  }
  if (isFixed && !type.needsVars(name)) return null;
  const variable = sample(BindVars?.Name ?? '', 'BindVars', known);
  if (!isIdentityName(variable)) throw invalid('invalid BindVars');
  return { Name: BindVars?.Name ?? '' };
}

/** What it may come to, for somebody of whom each text is good. */
function sample(text: string, what: string, known: readonly string[]): string {
  const complaint = bindNameComplaint(text, known);
  if (complaint !== undefined) throw invalid(`invalid ${what}: ${complaint}`);
  return filledIn(text, new Map(known.map((name) => [name, 'x'])));
}
