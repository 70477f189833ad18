/** Fields of a form. A fault stands below its field and is read with it. */
import { useId, type ReactNode } from 'react';
import { FieldError, Input, Label, Radio, RadioGroup, Text, TextArea, TextField } from 'react-aria-components';
import { newRequest as texts } from '../../strings/new-request';
import styles from './new-request.module.css';

interface FieldProps {
  id?: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string | undefined;
  /** Why what is in it cannot be taken. */
  fault?: string | undefined;
  required?: boolean;
  longest?: number | undefined;
}

function Name({ label, required }: { label: string; required: boolean }) {
  return (
    <Label className={styles.label}>
      {label}
      {!required && <span className={styles.optional}> {texts.optional}</span>}
    </Label>
  );
}

function Below({ hint, children }: { hint?: string | undefined; children?: ReactNode }) {
  return (
    <>
      {hint !== undefined && (
        <Text slot="description" className={styles.hint}>
          {hint}
        </Text>
      )}
      {children}
    </>
  );
}

function Fault({ fault }: { fault: string | undefined }) {
  return <FieldError className={styles.fault}>{fault}</FieldError>;
}

interface TextProps extends FieldProps {
  long?: boolean;
  type?: 'text' | 'datetime-local';
  mono?: boolean;
}

export function TextInput({ id, label, value, onChange, hint, fault, required = false, longest, long = false, type = 'text', mono = false }: TextProps) {
  const counted = longest !== undefined && value.length > longest * 0.8 ? texts.characters([...value].length, longest) : undefined;
  return (
    <TextField value={value} onChange={onChange} isInvalid={fault !== undefined} isRequired={required} validationBehavior="aria" className={styles.field} spellCheck={mono ? 'false' : undefined}>
      <Name label={label} required={required} />
      {long ? <TextArea id={id} className={styles.input} rows={3} data-mono={mono} /> : <Input id={id} className={styles.input} type={type} autoComplete="off" data-mono={mono} />}
      <Below hint={hint}>{counted !== undefined && <span className={styles.hint}>{counted}</span>}</Below>
      <Fault fault={fault} />
    </TextField>
  );
}

export interface Option {
  value: string;
  label: string;
  note?: string | undefined;
}

interface ChoiceProps extends FieldProps {
  options: readonly Option[];
}

const FEW = 4;

/** Few values stand side by side; many are in a list that opens. */
export function Choice(props: ChoiceProps) {
  return props.options.length <= FEW ? <Chips {...props} /> : <Dropdown {...props} />;
}

function Chips({ id, label, value, onChange, hint, fault, required = false, options }: ChoiceProps) {
  // With an empty text for its value, none of its radios could be reached with Tab.
  const chosen = value === '' ? null : value;
  return (
    <RadioGroup id={id} value={chosen} onChange={onChange} isInvalid={fault !== undefined} isRequired={required} validationBehavior="aria" className={styles.field} orientation="horizontal">
      <Name label={label} required={required} />
      <div className={styles.chips}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className={styles.chip}>
            {option.label}
          </Radio>
        ))}
      </div>
      <Below hint={hint} />
      <Fault fault={fault} />
    </RadioGroup>
  );
}

/** The browser's own list: it works with every keyboard, screen reader and finger. */
function Dropdown({ id, label, value, onChange, hint, fault, required = false, options }: ChoiceProps) {
  const own = useId();
  const control = id ?? own;
  const below = `${control}-below`;
  return (
    <div className={styles.field}>
      <label htmlFor={control} className={styles.label}>
        {label}
        {!required && <span className={styles.optional}> {texts.optional}</span>}
      </label>
      <select id={control} className={styles.input} value={value} onChange={(event) => onChange(event.target.value)} aria-invalid={fault !== undefined} aria-required={required} aria-describedby={below}>
        {(value === '' || !required) && <option value="">{texts.choose}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.note === undefined ? option.label : `${option.label} (${option.note})`}
          </option>
        ))}
      </select>
      <span id={below}>
        {hint !== undefined && <span className={styles.hint}>{hint}</span>}
        {fault !== undefined && <span className={styles.fault}>{fault}</span>}
      </span>
    </div>
  );
}
