import { newRequest as texts } from '../../strings/new-request';
import { hasHidden } from '../../ui/hidden';
import { Literal } from '../../ui/literal';
import { Choice, TextInput } from './fields';
import type { Field, Values } from './form';
import styles from './new-request.module.css';

interface FormFieldsProps {
  fields: readonly Field[];
  values: Values;
  /** Faults that are to be shown, by the field's name. */
  faults: ReadonlyMap<string, string>;
  onChange: (name: string, value: string) => void;
}

/** The id of a field's control, so that it can be gone to. */
export function fieldId(name: string): string {
  return `field-${name}`;
}

/** The form of the entitlement. */
export function FormFields({ fields, values, faults, onChange }: FormFieldsProps) {
  return fields.map((field) => (
    <FormField key={field.name} field={field} value={values[field.name] ?? ''} fault={faults.get(field.name)} onChange={(value) => onChange(field.name, value)} />
  ));
}

const FLAGS = [
  { value: 'true', label: texts.yes },
  { value: 'false', label: texts.no },
];

function FormField({ field, value, fault, onChange }: { field: Field; value: string; fault: string | undefined; onChange: (value: string) => void }) {
  const { name, kind, label, description, required, options, longest, long } = field;
  const common = { id: fieldId(name), label, value, onChange, fault, required, hint: description };
  if (kind === 'choice') return <Choice {...common} options={options.map(({ text }) => ({ value: text, label: text }))} />;
  if (kind === 'flag') return <Choice {...common} options={FLAGS} />;
  const hint = kind === 'json' ? [description, texts.json].filter(Boolean).join(' ') : description;
  return (
    <div className={styles.field}>
      <TextInput {...common} hint={hint} longest={longest} long={long || kind === 'json'} mono={kind !== 'number'} />
      {hasHidden(value, long) && <Literal text={value} multiline={long} />}
    </div>
  );
}
