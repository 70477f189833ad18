import { useState, type ReactNode } from 'react';
import type { Schema } from '../../client/client';
import { useSession } from '../../session/session';
import { newRequest as texts } from '../../strings/new-request';
import { Command } from '../../ui/copy';
import { duration } from '../../ui/format';
import { Visible } from '../../ui/literal';
import { Notice } from '../../ui/notice';
import { createCommand } from './command';
import { Choice, TextInput } from './fields';
import { FilesField } from './files-field';
import { FormFields } from './form-fields';
import { lengthsFor } from './lengths';
import { PossessionStep } from './possession-step';
import { description } from './picker';
import { outcomeOf, PreviewPanel } from './preview-panel';
import { SubmitBar } from './submit-bar';
import { withFile } from './uploads';
import { KEY_ID, needsKey, useForm, type Form } from './use-form';
import { usePreview, type Previewed } from './use-preview';
import { useSubmit, type Revised } from './use-submit';
import { WhomField } from './whom-field';
import type { Wish } from './wish';
import styles from './new-request.module.css';

interface AskProps {
  entitlement: Schema<'EntitlementView'>;
  initial: Wish;
  revised: Revised | undefined;
  /** What has to be known before anything is filled in. */
  before: ReactNode;
  onDone: (id: string) => void;
}

/** The form, what would come of it, and the signature. */
export function AskForm({ entitlement, initial, revised, before, onDone }: AskProps) {
  const form = useForm(entitlement, initial, revised?.id);
  const previewed = usePreview(form.draft);
  const submit = useSubmit(entitlement, revised, onDone);
  const [sending, setSending] = useState(false);
  const why = useObstacle(form, previewed, sending);
  const { step } = submit;
  if (step.at === 'possession') {
    return <PossessionStep checked={step.checked} onSigned={(possession) => submit.proceed(step.checked, possession)} onBack={submit.back} />;
  }
  const begin = () => {
    if (form.draft && previewed.preview) submit.begin(form.draft, previewed.preview);
  };
  const shown = form.incomplete.length === 0 ? previewed.preview : undefined;
  return (
    <div className={styles.ask}>
      {/* What is being signed does not change under it. */}
      <div className={styles.form} inert={step.at !== 'rest' || submit.unsure}>
        {before}
        {description(entitlement.data) !== '' && (
          <p>
            <Visible text={description(entitlement.data)} />
          </p>
        )}
        {form.leftOut.length > 0 && <Notice tone="warn">{texts.leftOut(form.leftOut.join(', '))}</Notice>}
        <Sections entitlement={entitlement} form={form} revised={revised !== undefined} onBusy={setSending} />
      </div>
      <PreviewPanel previewed={previewed} incomplete={form.incomplete} asked={form.seconds} onUse={({ variant }) => form.change(() => (variant.kind === 'shorter' ? { seconds: variant.seconds } : { undo: variant.draft.undo ?? [] }))} />
      <SubmitBar
        submit={submit}
        why={why}
        withKey={form.draft?.beneficiary_key !== undefined}
        outcome={shown ? outcomeOf(shown) : 'waiting'}
        summary={summaryOf(shown)}
        onPress={begin}
      />
    </div>
  );
}

function summaryOf(preview: Previewed['preview']): string {
  const text = texts.preview.short;
  if (!preview) return text.waiting;
  const outcome = outcomeOf(preview);
  return outcome === 'ask' ? text.approvals(preview.approvals) : text[outcome];
}

/** Why nothing can be signed now; the server may still refuse. */
function useObstacle(form: Form, { preview, current, fault }: Previewed, sending: boolean): string | undefined {
  const { me, server } = useSession();
  const text = texts.submit;
  if (!server.sealed) return text.sealed;
  if (me.held === true) return text.held;
  if (form.incomplete.length > 0) return text.fill;
  if (sending) return text.sending;
  if (fault) return texts.preview.failed;
  if (!preview || !current) return text.wait;
  return preview.missing.length > 0 ? text.mend : undefined;
}

interface SectionsProps {
  entitlement: Schema<'EntitlementView'>;
  form: Form;
  revised: boolean;
  onBusy: (busy: boolean) => void;
}

function Sections({ entitlement, form, revised, onBusy }: SectionsProps) {
  const { wish, change } = form;
  const ssh = needsKey(entitlement);
  const text = texts.sections;
  const files = <Files form={form} onBusy={onBusy} />;
  const isChange = entitlement.kind === 'change';
  const extra = wish.start !== '' || wish.beneficiary !== '' || (!isChange && wish.files.length > 0);
  return (
    <>
      <Section title={text.what}>
        <FormFields fields={form.fields} values={wish.values} faults={form.shownFaults} onChange={(name, value) => change(({ values }) => ({ values: { ...values, [name]: value } }))} />
        <Lengths form={form} />
      </Section>
      {isChange && <Section title={text.files}>{files}</Section>}
      <Section title={text.why}>
        <TextInput label={texts.reason} hint={texts.reasonHint} value={wish.justification} onChange={(justification) => change(() => ({ justification }))} longest={texts.mostReason} long />
        <TextInput label={texts.ticket} hint={texts.ticketHint} value={wish.ticket} onChange={(ticket) => change(() => ({ ticket }))} longest={texts.mostTicket} />
      </Section>
      {ssh && (
        <Section title={text.key}>
          <p className={styles.hint}>{texts.key.lead}</p>
          <TextInput id={KEY_ID} label={texts.key.label} hint={texts.key.hint} value={wish.key} onChange={(key) => change(() => ({ key }))} fault={form.keyFault} long mono />
          {wish.key.trim() === '' && <Notice tone="plain">{texts.key.none}</Notice>}
          {!revised && form.draft && (
            <>
              <p className={styles.hint}>{texts.key.cli}</p>
              <Command text={createCommand(form.draft)} label={texts.key.cli} />
            </>
          )}
        </Section>
      )}
      <details className={styles.more} open={extra || undefined}>
        <summary>{isChange ? texts.moreChange : text.more}</summary>
        <div className={styles.section}>
          <TextInput label={texts.start} hint={texts.startHint} value={wish.start} onChange={(start) => change(() => ({ start }))} type="datetime-local" />
          <WhomField value={wish.beneficiary} onChange={(beneficiary) => change(() => ({ beneficiary }))} />
          {!isChange && files}
        </div>
      </details>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Lengths({ form }: { form: Form }) {
  const options = lengthsFor(form.longest, form.seconds).map((seconds) => ({
    value: String(seconds),
    label: duration(seconds),
    note: form.longest !== undefined && seconds > form.longest ? texts.tooLong : undefined,
  }));
  return <Choice label={texts.length} hint={texts.lengthHint} value={String(form.seconds)} onChange={(seconds) => form.change(() => ({ seconds: Number(seconds) }))} options={options} required />;
}

function Files({ form: { wish, change }, onBusy }: { form: Form; onBusy: (busy: boolean) => void }) {
  const without = (undo: readonly string[], name: string) => undo.filter((one) => one !== name);
  return (
    <FilesField
      files={wish.files}
      undo={wish.undo}
      onAdded={(file) => change(({ files }) => ({ files: withFile(files, file) }))}
      onRemove={(name) => change(({ files, undo }) => ({ files: files.filter((one) => one.name !== name), undo: without(undo, name) }))}
      onUndo={(name, undoes) => change(({ undo }) => ({ undo: undoes ? [...without(undo, name), name] : without(undo, name) }))}
      onBusy={onBusy}
    />
  );
}
