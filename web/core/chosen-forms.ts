/** What somebody said that a key's value is to be taken for, on this device. */
import { readJson, writeJson } from './exact-json.ts';
import { FORMS, type Form } from './forms.ts';
import { CHOSEN_FORMS, stored } from './stored.ts';

/** Of so many keys somebody's choice is remembered. */
const MAX_CHOSEN = 200;
const choices = stored(CHOSEN_FORMS);

export function chosenFor(key: string): Form | undefined {
  return read().findLast(([name]) => name === key)?.[1];
}

export function choose(key: string, form: Form): void {
  const others = read().filter(([name]) => name !== key);
  choices.write(writeJson([...others, [key, form]].slice(-MAX_CHOSEN)));
}

function read(): readonly (readonly [key: string, form: Form])[] {
  try {
    const all: unknown = readJson(choices.read() || '[]');
    return Array.isArray(all) ? all.filter(isChoice) : [];
  } catch {
    // Somebody else wrote it.
    return [];
  }
}

function isChoice(each: unknown): each is readonly [string, Form] {
  return Array.isArray(each) && typeof each[0] === 'string' && FORMS.includes(each[1] as Form);
}
