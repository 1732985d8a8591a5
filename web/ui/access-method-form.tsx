/** The form of an auth method: what all have, and a configuration that is its type's. */
import type { MethodRow } from '../core/access.ts';
import {
  CONFIG_STARTS,
  type MethodDraft,
  type MethodType,
  writeMethod,
} from '../core/access-methods.ts';
import { upon } from '../core/actions.ts';
import { writeJson } from '../core/exact-json.ts';
import { callbackAddress } from '../core/login.ts';
import { go, href } from '../core/router.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { jsonProblem } from '../core/values.ts';
import type { Done } from '../core/way-back.ts';
import { accessFormWords } from '../words/access-form-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { changed } from './access-forms.tsx';
import { edit, toList } from './access-thing.tsx';
import { Area, Choice, Field, Form, useDraft } from './form.tsx';
import { tell } from './toasts.tsx';

export function MethodForm({ method }: { readonly method: MethodRow | undefined }) {
  const say = accessFormWords.value;
  const draft = useDraft<MethodDraft>(
    `method ${method?.Name ?? ''}`,
    draftOf(method),
    method?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const action = writeMethod(method, value);
  const onDone = (done: Done) => {
    if (method !== undefined) changed(value.name, done, writeMethod(method, draftOf(method)));
    else {
      tell(say.made(value.name));
      go(href('access', 'methods', value.name), { replaces: true });
    }
  };
  return (
    <Form
      label={method === undefined ? say.newMethod : uiWords.value.edit}
      verb={method === undefined ? uiWords.value.make : uiWords.value.save}
      action={action && upon(action, method)}
      draft={draft}
      onDone={onDone}
      onCancel={() => (method === undefined ? toList('methods') : edit(false))}
    >
      {method === undefined && (
        <>
          <Field
            label={say.name}
            hint={say.nameHint}
            value={value.name}
            onWrite={(name) => change({ name })}
          />
          <Choice<MethodType>
            label={say.type}
            value={value.type}
            of={say.types}
            onChoose={(type) => change({ type, config: asType(type, value) })}
          />
        </>
      )}
      <Field
        label={say.displayName}
        value={value.displayName}
        onWrite={(displayName) => change({ displayName })}
      />
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
      <Field
        label={say.methodTtl}
        hint={say.ttlHint}
        value={value.ttl}
        onWrite={(ttl) => change({ ttl })}
      />
      <Area
        label={say.config}
        hint={say.configHint(callbackAddress)}
        value={value.config}
        onWrite={(config) => change({ config })}
      />
      {action === undefined && value.name !== '' && (
        <p class="form-problem" role="status">
          {say.notJson} {jsonProblem(value.config)}
        </p>
      )}
    </Form>
  );
}

function draftOf(method: MethodRow | undefined): MethodDraft {
  if (method === undefined) {
    const none = { name: '', displayName: '', description: '', ttl: '' };
    return { ...none, type: 'oidc', config: startOf('oidc') };
  }
  const { Name, Type, DisplayName = '', Description = '', MaxTokenTTL = '', Config = {} } = method;
  return {
    name: Name,
    type: Type === 'oidc' || Type === 'kubernetes' ? Type : 'jwt',
    displayName: DisplayName,
    description: Description,
    ttl: MaxTokenTTL,
    config: writeJson(withoutSecrets(Config), 2),
  };
}

/** What somebody has written already stays. */
function asType(next: MethodType, { type, config }: MethodDraft): string {
  return config === startOf(type) ? startOf(next) : config;
}

function startOf(type: MethodType): string {
  return writeJson(CONFIG_STARTS[type], 2);
}
