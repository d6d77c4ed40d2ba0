//! Checks the rules of the house that a machine can check (`cargo xtask tidy`).
//!
//! Promises: below two seconds, nothing is changed, all complaints at once, each with place, rule, reason and fix.
//! Refuses to guess: a rule that needs judgement belongs to a reviewer, not here.
//!
//! `edges`: which crate may use which. `packages`: licences, bans, double versions, reasons for dependencies.
//! `sources`: headers, sizes, to-do marks. `documents`: links, the list of crates.

mod documents;
mod edges;
mod licence;
mod packages;
mod sources;

use std::path::Path;

use anyhow::bail;

use crate::planted;
use crate::tree::Tree;
use crate::workspace::Workspace;

/// Runs every check and prints what is wrong.
///
/// # Errors
/// There is at least one complaint, or the project cannot be read.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    let workspace = Workspace::read(root)?;
    let mut complaints = Vec::new();
    edges::check(&workspace, &tree, &mut complaints);
    packages::check(&workspace, &tree, &mut complaints);
    sources::check(&tree, &mut complaints);
    planted::check(&tree, &mut complaints);
    documents::check(root, &tree, &mut complaints);
    complaints.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        bail!(
            "tidy has {} complaints about {} files",
            complaints.len(),
            tree.files.len()
        );
    }
    println!(
        "tidy: {} files and {} packages are in order",
        tree.files.len(),
        workspace.packages.len()
    );
    Ok(())
}
