//! The names in one item of a source file: what it defines, what it imports, and every path that its code names, in macros and
//! attributes too. Nothing is resolved here; that is the part of `imports.rs`.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItemFn, Item, ItemMacro, ItemUse, LitStr, Macro, Meta, Path, UseTree, VisRestricted, Visibility,
};

/// A path as it is written, segment by segment.
pub(crate) type Mention = Vec<String>;

/// A name that a `use` brings.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// What it is called from here on; nothing for a glob.
    pub(crate) name: Option<String>,
    pub(crate) path: Mention,
    /// Whether others see it as well, as with `pub use` and `pub(crate) use`.
    pub(crate) shown: bool,
}

/// Adds the imports and the mentions of an item.
pub(crate) fn collect(item: &Item, uses: &mut Vec<Use>, mentions: &mut Vec<Mention>) {
    Collector { uses, mentions }.visit_item(item);
}

/// Whether a path may go on after a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Namespace {
    /// To a variant, a constant or a function of it.
    Type,
    /// It may not: a function, a constant, a macro.
    Value,
}

/// The name that an item defines in its module.
pub(crate) fn defined(item: &Item) -> Option<(String, Namespace)> {
    let namespace = match item {
        Item::Const(_) | Item::Fn(_) | Item::Macro(_) | Item::Static(_) => Namespace::Value,
        _ => Namespace::Type,
    };
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some((ident.to_string(), namespace))
}

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether it is compiled for tests alone.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            ["test", "any (test , fuzzing)"].contains(&list.tokens.to_string().as_str())
        }
        _ => false,
    })
}

struct Collector<'a> {
    uses: &'a mut Vec<Use>,
    mentions: &'a mut Vec<Mention>,
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let shown = !matches!(item.vis, Visibility::Inherited);
            leaves(&item.tree, shown, &mut Vec::new(), self.uses);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            self.mentions.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    /// `pub(in crate::a)` takes nothing from there.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        in_tokens(called.tokens.clone(), false, self.mentions);
    }

    /// The definition of a macro names what its expansion takes.
    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        self.visit_macro(&item.mac);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => in_tokens(list.tokens.clone(), true, self.mentions),
            meta => visit::visit_meta(self, meta),
        }
    }
}

/// The names of a `use`, each with its whole path.
fn leaves(tree: &UseTree, shown: bool, before: &mut Mention, uses: &mut Vec<Use>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, shown, before, uses);
            before.pop();
        }
        UseTree::Name(name) => uses.push(leaf(before, &name.ident.to_string(), None, shown)),
        UseTree::Rename(name) => uses.push(leaf(before, &name.ident.to_string(), Some(name.rename.to_string()), shown)),
        UseTree::Glob(_) => uses.push(Use { name: None, path: before.clone(), shown }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, shown, before, uses)),
    }
}

/// `use a::b::{self}` brings `b`.
fn leaf(before: &Mention, last: &str, rename: Option<String>, shown: bool) -> Use {
    let mut path = before.clone();
    if last != "self" || path.is_empty() {
        path.push(last.to_owned());
    }
    let name = rename.or_else(|| path.last().cloned());
    Use { name, path, shown }
}

/// The paths that stand in a macro's or an attribute's tokens: names joined by `::`. In attributes strings may be paths as well, as
/// in `#[serde(with = "crate::words")]`.
fn in_tokens(tokens: TokenStream, strings: bool, mentions: &mut Vec<Mention>) {
    let mut path = Mention::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    mentions.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                }
                path.push(ident.to_string());
                colons = 0;
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                colons = if punct.spacing() == Spacing::Joint || colons == 1 { colons + 1 } else { 3 };
                continue;
            }
            TokenTree::Group(group) => in_tokens(group.stream(), strings, mentions),
            TokenTree::Literal(literal) if strings => mentions.extend(path_in(&literal.to_string())),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
        mentions.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
        colons = 0;
    }
    mentions.extend((!path.is_empty()).then_some(path));
}

fn path_in(literal: &str) -> Option<Mention> {
    let text: LitStr = syn::parse_str(literal).ok()?;
    let path: Path = text.parse().ok()?;
    Some(path.segments.iter().map(|segment| segment.ident.to_string()).collect())
}
