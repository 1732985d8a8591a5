import { ProconsulError } from '../../lib/errors.ts';

/** Told in the form of the body. */
export class Unparsable extends ProconsulError {
  constructor() {
    super('invalid', 'cannot parse request body');
  }
}
