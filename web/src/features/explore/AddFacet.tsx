// A field to have as a facet, beside those that are there.

import { useState } from 'react';
import { fieldLabel } from '../../query/fields.ts';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import css from './Facets.module.css';
import { text } from './text.ts';

const OFFERED_MAX = 40;

export function AddFacet({ fields, onAdd }: { fields: readonly string[]; onAdd: (field: string) => void }) {
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const found = fields.filter((field) => field.toLowerCase().includes(wanted)).slice(0, OFFERED_MAX);
  return (
    <ComboBox
      label={text.facetAdd}
      labelPlace="hidden"
      placeholder={text.facetAdd}
      className={css['add']}
      isMono
      items={found.map((field) => ({ id: field, label: fieldLabel(field) }))}
      inputValue={typed}
      onInputChange={setTyped}
      onSelect={({ id }) => {
        setTyped('');
        onAdd(id);
      }}
    />
  );
}
