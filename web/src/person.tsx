// The fields in which people say who they are.
import { TextField } from './fields';
import { typed } from './form';
import { formTexts } from './formtexts';

export const PERSON_FIELDS = ['lastName', 'firstName', 'patronymic', 'birthDate', 'passport', 'inn'];

export interface Person {
  lastName: string;
  firstName: string;
  patronymic: string | null;
  birthDate: string;
  passport: string;
  inn: string;
}

// Empty ones go too: the server names everything that is wrong at once.
export function personOf(values: FormData): Person {
  return {
    lastName: typed(values, 'lastName'),
    firstName: typed(values, 'firstName'),
    patronymic: typed(values, 'patronymic') || null,
    birthDate: typed(values, 'birthDate'),
    passport: typed(values, 'passport'),
    inn: typed(values, 'inn'),
  };
}

interface Props {
  // What stands in them at first, and the ends of the numbers that were given before.
  values?: Partial<Person>;
  known?: { passport: string | null; inn: string | null };
}

export function PersonFields({ values = {}, known }: Props) {
  return (
    <>
      <TextField name="lastName" label={formTexts.lastName} defaultValue={values.lastName} autoComplete="family-name" />
      <TextField name="firstName" label={formTexts.firstName} defaultValue={values.firstName} autoComplete="given-name" />
      <TextField
        name="patronymic"
        label={formTexts.patronymic}
        hint={formTexts.optional}
        defaultValue={values.patronymic ?? ''}
        autoComplete="additional-name"
      />
      <TextField name="birthDate" label={formTexts.birthDate} type="date" defaultValue={values.birthDate} autoComplete="bday" />
      <TextField
        name="passport"
        label={formTexts.passport}
        hint={known?.passport ?? formTexts.passportHint}
        defaultValue={values.passport}
        inputMode="numeric"
      />
      <TextField name="inn" label={formTexts.inn} hint={known?.inn ?? undefined} defaultValue={values.inn} inputMode="numeric" />
    </>
  );
}
