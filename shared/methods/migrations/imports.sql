-- The journal of imports: which versions of which resources a batch landed, so that it can be taken back. It has the shape
-- of all tables of resources (see store::Table) and holds no content: what stood before is found in the change feed.

create table imports (
    tenant text not null,
    -- The batch's id, as the client chose it: the rows of a batch stand together.
    account text not null,
    -- Empty in the row that says that there is such a batch; else an id made for one transaction.
    id text not null,
    version bigint not null,
    -- Always empty, as is the label.
    state text not null,
    label text not null,
    happened_at bigint not null,
    created_at bigint not null,
    recorded_at bigint not null,
    deleted_at bigint,
    -- What the transaction landed or took back: see methods::journal.
    document bytea not null,
    constraint imports_key primary key (tenant, account, id)
);
