/** What an auth method gives to whom: its binding rules. */
import type { BindingRuleRow } from '../core/access.ts';
import {
  type BindType,
  deleteBindingRule,
  type RuleDraft,
  ruleDraftOf,
  writeBindingRule,
} from '../core/access-methods.ts';
import { upon } from '../core/actions.ts';
import { query, setQuery } from '../core/router.ts';
import type { Done } from '../core/way-back.ts';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { askFirst, tellDone } from './asked.tsx';
import { Empty } from './empty.tsx';
import { Choice, Field, Form, useDraft } from './form.tsx';
import { tell } from './toasts.tsx';

interface BindingRulesProps {
  readonly method: string;
  readonly rules: readonly BindingRuleRow[];
  readonly mayWrite: boolean;
}

export function BindingRules({ method, rules, mayWrite }: BindingRulesProps) {
  const say = accessWords.value;
  const open = mayWrite ? (query.value.get('rule') ?? '') : '';
  return (
    <>
      {rules.length === 0 && <Empty title={say.noRulesOfMethod} hint={say.noRulesOfMethodHint} />}
      <ul class="binding-rules">
        {rules.map((rule) => (
          <li key={rule.ID}>
            {open === rule.ID ? (
              <RuleForm method={method} rule={rule} />
            ) : (
              <OneRule rule={rule} mayWrite={mayWrite} />
            )}
          </li>
        ))}
      </ul>
      {open === 'new' && <RuleForm method={method} rule={undefined} />}
      {mayWrite && open === '' && (
        <div>
          <button type="button" onClick={() => setQuery({ rule: 'new' })}>
            {accessFormWords.value.newRule}
          </button>
        </div>
      )}
    </>
  );
}

interface OneRuleProps {
  readonly rule: BindingRuleRow;
  readonly mayWrite: boolean;
}

function OneRule({ rule, mayWrite }: OneRuleProps) {
  const say = accessWords.value;
  const { BindType, BindName, BindVars, Selector, Description } = rule;
  const name = [BindName, BindVars?.Name].filter(Boolean).join(' ');
  return (
    <div class="binding-rule">
      <span>
        {Selector === '' ? say.everybody : <code>{Selector}</code>}{' '}
        <span class="aside">{say.gets}</span> <strong>{say.bindingOf(BindType, name)}</strong>
        {Description !== '' && <span class="aside"> {Description}</span>}
      </span>
      {mayWrite && (
        <span class="actions">
          <button type="button" onClick={() => setQuery({ rule: rule.ID })}>
            {uiWords.value.edit}
          </button>
          <button type="button" onClick={() => askDelete(rule)}>
            {uiWords.value.delete}
          </button>
        </span>
      )}
    </div>
  );
}

interface RuleFormProps {
  readonly method: string;
  readonly rule: BindingRuleRow | undefined;
}

const NEW: RuleDraft = {
  description: '',
  selector: '',
  bindType: 'role',
  bindName: '',
  variable: '',
};

function RuleForm({ method, rule }: RuleFormProps) {
  const say = accessFormWords.value;
  const draft = useDraft<RuleDraft>(
    `binding rule ${method} ${rule?.ID ?? ''}`,
    rule === undefined ? NEW : ruleDraftOf(rule),
    rule?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const action = writeBindingRule(method, rule?.ID ?? '', value);
  const close = () => setQuery({ rule: '' });
  const onDone = (done: Done) => {
    close();
    if (rule === undefined) {
      tell(say.made(value.bindName));
      return;
    }
    const before = writeBindingRule(method, rule.ID, ruleDraftOf(rule));
    void tellDone(say.saved(value.bindName), done, {
      action: () => before,
      at: done.action.path,
      left: 'answer',
    });
  };
  return (
    <Form
      label={rule === undefined ? say.newRule : uiWords.value.edit}
      verb={rule === undefined ? uiWords.value.make : uiWords.value.save}
      action={value.bindName === '' ? undefined : upon(action, rule)}
      draft={draft}
      onDone={onDone}
      onCancel={close}
    >
      <Field
        label={say.selector}
        hint={say.selectorHint}
        value={value.selector}
        onWrite={(selector) => change({ selector })}
      />
      <Choice<BindType>
        label={say.bindType}
        value={value.bindType}
        of={say.bindTypes}
        onChoose={(bindType) => change({ bindType })}
      />
      <Field
        label={say.bindName}
        hint={say.bindNameHint}
        value={value.bindName}
        onWrite={(bindName) => change({ bindName })}
      />
      {value.bindType === 'templated-policy' && (
        <Field
          label={say.variable}
          hint={say.bindNameHint}
          value={value.variable}
          onWrite={(variable) => change({ variable })}
        />
      )}
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
    </Form>
  );
}

function askDelete(rule: BindingRuleRow): void {
  const say = accessFormWords.peek();
  const action = upon(deleteBindingRule(rule), rule);
  const before = writeBindingRule(rule.AuthMethod, '', ruleDraftOf(rule));
  askFirst({
    title: say.deleteRule,
    text: say.deleteRuleText,
    action,
    verb: say.deleteRule,
    done: say.deleted(rule.BindName),
    undo: { action: () => before, at: action.path, left: 'nothing' },
  });
}
