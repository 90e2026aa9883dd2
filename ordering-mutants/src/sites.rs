//! Finds the sites: orderings, fences, and the operations that the table lists for deletion.
//!
//! Orderings and fences are found in the syntax tree. What the tree's walk cannot name, such as an
//! ordering in a macro's arguments, is an error and not passed over: the walk's finds are compared
//! with the tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{collections::HashMap, fmt::Write as _, fs, ops::Range, path::Path};
use syn::{
    Attribute, Expr, ImplItemFn, Item, ItemFn, ItemImpl, ItemTrait, Meta, Stmt, TraitItemFn, Type,
    punctuated::Punctuated,
    spanned::Spanned,
    visit::{self, Visit},
};

/// A change of one place in the source.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// The file, below `src`.
    pub(crate) file: String,
    /// The function, with the type whose `impl` it stands in, or the trait.
    pub(crate) function: String,
    /// What stands there; with `#2` if it is the function's second of that kind.
    pub(crate) operation: String,
    /// What becomes of it.
    pub(crate) mutation: String,
    /// Where, in bytes.
    range: Range<usize>,
    /// What is put there.
    text: String,
}

impl Mutant {
    /// The source with the change made.
    pub(crate) fn apply(&self, source: &str) -> String {
        let mut mutated = source.to_owned();
        mutated.replace_range(self.range.clone(), &self.text);
        mutated
    }
}

/// Code whose every occurrence in a file is a site: a re-check, or another operation without an
/// ordering of its own.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) file: String,
    pub(crate) code: String,
    /// What is put in its place; nothing: the statement it is part of is deleted.
    pub(crate) becomes: Option<String>,
}

/// The folders of `src` that are searched: those whose orderings the models are there for. Not
/// `sync`: it is the facade, of which the loom build has another half, with loom's own orderings.
const FOLDERS: [&str; 6] = ["channel", "fifo", "queue", "record", "spin", "wait"];

/// And a file beside them.
const FILE: &str = "once.rs";

/// The files that are searched, below `src`.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut files = vec![FILE.to_owned()];
    for folder in FOLDERS {
        let path = root.join("src").join(folder);
        let entries =
            fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for entry in entries {
            let name = entry.map_err(|error| error.to_string())?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".rs") && name != "tests.rs" {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// All mutants of a file.
pub(crate) fn find(file: &str, source: &str, listed: &[Listed]) -> Result<Vec<Mutant>, String> {
    let tree = syn::parse_file(source)
        .map_err(|error| format!("src/{file}, line {}: {error}", error.span().start().line))?;
    let tokens: TokenStream = source
        .parse()
        .map_err(|error| format!("src/{file}: {error}"))?;
    let tokens = flat(tokens);

    let mut walk = Walk::default();
    walk.visit_file(&tree);
    walk.overlooked(file, source, &tokens)?;

    for listed in listed.iter().filter(|listed| listed.file == file) {
        walk.find_listed(listed, &tokens)?;
    }
    walk.sites
        .sort_by_key(|site| (site.range.start, site.range.end));

    let mut seen = HashMap::new();
    let mut mutants = Vec::new();
    for site in walk.sites {
        let nth: &mut u32 = seen
            .entry((site.function.clone(), site.operation.clone(), site.detail))
            .or_default();
        *nth += 1;
        let mut operation = format!("`{}`", site.operation);
        if *nth > 1 {
            let _ = write!(operation, " #{nth}");
        }
        if !site.detail.is_empty() {
            let _ = write!(operation, " {}", site.detail);
        }
        for (mutation, text) in site.changes {
            mutants.push(Mutant {
                file: file.into(),
                function: format!("`{}`", site.function),
                operation: operation.clone(),
                mutation,
                range: site.range.clone(),
                text,
            });
        }
    }
    Ok(mutants)
}

/// A place, and what may become of it.
struct Site {
    function: String,
    operation: String,
    /// Which of the operation's orderings, if it has two.
    detail: &'static str,
    range: Range<usize>,
    /// How it is written in the table, and what is put in its place.
    changes: Vec<(String, String)>,
}

#[derive(Default)]
struct Walk {
    /// The type of the `impl`, or the trait, and the functions around this point.
    around: Vec<String>,
    sites: Vec<Site>,
    /// Orderings that were met, whether they can be weakened or not.
    orderings: Vec<Range<usize>>,
    /// Code of tests.
    tests: Vec<Range<usize>>,
    /// Statements and arms of `match`, each of which `{}` can replace.
    statements: Vec<Range<usize>>,
    /// Functions, with their names.
    functions: Vec<(Range<usize>, String)>,
}

impl Walk {
    fn function(&self) -> String {
        self.around.join("::")
    }

    /// An operation with its orderings.
    fn operation(
        &mut self,
        name: &str,
        receiver: &str,
        arguments: &Punctuated<Expr, syn::Token![,]>,
    ) {
        let orderings: Vec<_> = arguments
            .iter()
            .filter_map(|argument| Some((argument, ordering(argument)?)))
            .collect();
        for (nth, (argument, ordering)) in orderings.iter().enumerate() {
            let range = argument.span().byte_range();
            self.orderings.push(range.clone());
            let (details, weaker): (_, fn(&str) -> &'static [&'static str]) = match name {
                "load" | "load_to_update" => ([""; 2], weaker_reads),
                "store" => ([""; 2], weaker_writes),
                "compare_exchange" | "compare_exchange_weak" if nth == 1 => {
                    (["", "failure"], weaker_reads)
                }
                "compare_exchange" | "compare_exchange_weak" => (["success", ""], weaker_updates),
                "fetch_update" if nth == 1 => (["", "fetch"], weaker_reads),
                "fetch_update" => (["set", ""], weaker_updates),
                _ => ([""; 2], weaker_updates),
            };
            let prefix = &source_of_ordering(argument);
            let changes: Vec<_> = weaker(ordering)
                .iter()
                .map(|to| (format!("{ordering} → {to}"), format!("{prefix}{to}")))
                .collect();
            if changes.is_empty() {
                continue;
            }
            let operation = if receiver.is_empty() {
                name.into()
            } else {
                format!("{receiver}.{name}")
            };
            self.sites.push(Site {
                function: self.function(),
                operation,
                detail: details[nth.min(1)],
                range,
                changes,
            });
        }
    }

    /// Compares the orderings that the walk met with the tokens.
    fn overlooked(&self, file: &str, source: &str, tokens: &[Token]) -> Result<(), String> {
        for token in tokens {
            let strong = ["SeqCst", "AcqRel", "Acquire", "Release"].contains(&token.text.as_str());
            let met = self.orderings.iter().chain(&self.tests);
            if strong && !met.into_iter().any(|range| covers(range, &token.range)) {
                let line = source[..token.range.start].matches('\n').count() + 1;
                return Err(format!(
                    "src/{file}, line {line}: {} is not a direct argument of a call, \
                     so it cannot be mutated",
                    token.text
                ));
            }
        }
        Ok(())
    }

    /// Adds every place where a listed piece of code stands.
    fn find_listed(&mut self, listed: &Listed, tokens: &[Token]) -> Result<(), String> {
        let code: TokenStream = listed
            .code
            .parse()
            .map_err(|error| format!("table, `{}`: {error}", listed.code))?;
        let code = flat(code);
        for place in tokens.windows(code.len().max(1)) {
            if !place
                .iter()
                .map(|token| &token.text)
                .eq(code.iter().map(|token| &token.text))
            {
                continue;
            }
            let mut range = place[0].range.start..place[place.len() - 1].range.end;
            if self.tests.iter().any(|test| covers(test, &range)) {
                continue;
            }
            let around = self
                .functions
                .iter()
                .filter(|(function, _)| covers(function, &range));
            let Some((_, function)) = around.min_by_key(|(function, _)| function.len()) else {
                continue;
            };
            let change = match &listed.becomes {
                Some(code) => (format!("becomes `{code}`"), code.clone()),
                None => {
                    let around = self.statements.iter().filter(|stmt| covers(stmt, &range));
                    range = around
                        .min_by_key(|stmt| stmt.len())
                        .ok_or_else(|| {
                            format!("table, `{}`: not part of a statement", listed.code)
                        })?
                        .clone();
                    ("deleted".into(), "{}".into())
                }
            };
            self.sites.push(Site {
                function: function.clone(),
                operation: listed.code.clone(),
                detail: "",
                range,
                changes: vec![change],
            });
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if is_test(attributes) {
            self.tests.push(item.span().byte_range());
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.around.push(name.unwrap_or_else(|| "?".into()));
        visit::visit_item_impl(self, item);
        self.around.pop();
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.around.push(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.around.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.around.push(item.sig.ident.to_string());
        self.functions
            .push((item.span().byte_range(), self.function()));
        visit::visit_item_fn(self, item);
        self.around.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.around.push(item.sig.ident.to_string());
        self.functions
            .push((item.span().byte_range(), self.function()));
        visit::visit_impl_item_fn(self, item);
        self.around.pop();
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.around.push(item.sig.ident.to_string());
        self.functions
            .push((item.span().byte_range(), self.function()));
        visit::visit_trait_item_fn(self, item);
        self.around.pop();
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        if !matches!(stmt, Stmt::Local(_) | Stmt::Item(_)) {
            self.statements.push(stmt.span().byte_range());
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.statements.push(arm.body.span().byte_range());
        visit::visit_arm(self, arm);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.operation(&call.method.to_string(), &short(&call.receiver), &call.args);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let name = short(&call.func);
        let word = call
            .args
            .first()
            .map(|word| format!("{}.", short(word)))
            .unwrap_or_default();
        match &*name {
            // Weakened where that is possible, and deleted.
            "fence" | "model_fence" => {
                let mut changes = Vec::new();
                for argument in &call.args {
                    let Some(ordering) = ordering(argument) else {
                        continue;
                    };
                    self.orderings.push(argument.span().byte_range());
                    let prefix = source_of_ordering(argument);
                    for to in weaker_fences(&ordering) {
                        changes.push((
                            format!("{ordering} → {to}"),
                            format!("{name}({prefix}{to})"),
                        ));
                    }
                }
                if name == "model_fence" {
                    let weak =
                        "::loom::sync::atomic::fence(::loom::sync::atomic::Ordering::AcqRel)";
                    changes.push(("SeqCst → AcqRel".into(), weak.into()));
                }
                changes.push(("deleted".into(), "()".into()));
                self.sites.push(Site {
                    function: self.function(),
                    operation: name,
                    detail: "",
                    range: call.span().byte_range(),
                    changes,
                });
            }
            _ => self.operation(&name, word.trim_end_matches('.'), &call.args),
        }
        visit::visit_expr_call(self, call);
    }
}

/// The weaker orderings of a load, the strongest first.
fn weaker_reads(ordering: &str) -> &'static [&'static str] {
    match ordering {
        "SeqCst" => &["Acquire", "Relaxed"],
        "Acquire" => &["Relaxed"],
        _ => &[],
    }
}

/// The same for a store.
fn weaker_writes(ordering: &str) -> &'static [&'static str] {
    match ordering {
        "SeqCst" => &["Release", "Relaxed"],
        "Release" => &["Relaxed"],
        _ => &[],
    }
}

/// The same for a read-modify-write.
fn weaker_updates(ordering: &str) -> &'static [&'static str] {
    match ordering {
        "SeqCst" => &["AcqRel", "Acquire", "Release", "Relaxed"],
        "AcqRel" => &["Acquire", "Release", "Relaxed"],
        "Acquire" | "Release" => &["Relaxed"],
        _ => &[],
    }
}

/// The same for a fence, which cannot be relaxed, only deleted.
fn weaker_fences(ordering: &str) -> &'static [&'static str] {
    match ordering {
        "SeqCst" => &["AcqRel"],
        "AcqRel" => &["Acquire", "Release"],
        _ => &[],
    }
}

/// The ordering that an expression names: the last part of a path that goes through `Ordering`.
fn ordering(expr: &Expr) -> Option<String> {
    let Expr::Path(path) = expr else { return None };
    let mut parts = path
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| segment.ident.to_string());
    let name = parts.next()?;
    (parts.next()? == "Ordering").then_some(name)
}

/// An ordering's path up to its last part.
fn source_of_ordering(expr: &Expr) -> String {
    let Expr::Path(path) = expr else {
        return String::new();
    };
    let parts = &path.path.segments;
    parts
        .iter()
        .take(parts.len() - 1)
        .fold(String::new(), |all, part| {
            all + &part.ident.to_string() + "::"
        })
}

/// An expression in short: fields, methods and functions by name, without arguments.
fn short(expr: &Expr) -> String {
    let join = |base: &Expr, name: String| match short(base) {
        base if base.is_empty() => name,
        base => format!("{base}.{name}"),
    };
    match expr {
        Expr::Path(path) => match path.path.segments.last() {
            Some(part) if part.ident != "self" => part.ident.to_string(),
            _ => String::new(),
        },
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => join(&field.base, name.to_string()),
            syn::Member::Unnamed(index) => join(&field.base, index.index.to_string()),
        },
        Expr::MethodCall(call) => join(&call.receiver, format!("{}()", call.method)),
        Expr::Call(call) => format!("{}()", short(&call.func)),
        Expr::Index(index) => format!("{}[]", short(&index.expr)),
        Expr::Reference(inner) => short(&inner.expr),
        Expr::Paren(inner) => short(&inner.expr),
        Expr::Unary(inner) => short(&inner.expr),
        Expr::Unsafe(inner) => match inner.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => short(last),
            _ => "{}".into(),
        },
        _ => "…".into(),
    }
}

/// Whether code with these attributes is built for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    /// `None`: depends on the build.
    fn holds(cfg: &Meta) -> Option<bool> {
        let Meta::List(list) = cfg else {
            return if cfg.path().is_ident("test") {
                Some(false)
            } else {
                None
            };
        };
        let parse = Punctuated::<Meta, syn::Token![,]>::parse_terminated;
        let parts: Vec<_> = list
            .parse_args_with(parse)
            .ok()?
            .iter()
            .map(holds)
            .collect();
        if list.path.is_ident("all") {
            parts.contains(&Some(false)).then_some(false)
        } else if list.path.is_ident("not") {
            parts.first().copied().flatten().map(|part| !part)
        } else {
            parts
                .iter()
                .all(|part| *part == Some(false))
                .then_some(false)
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Meta>()
                .is_ok_and(|cfg| holds(&cfg) == Some(false))
    })
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A token, delimiters included.
struct Token {
    text: String,
    range: Range<usize>,
}

fn flat(tokens: TokenStream) -> Vec<Token> {
    fn walk(tokens: TokenStream, all: &mut Vec<Token>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    all.push(Token {
                        text: open.into(),
                        range: group.span_open().byte_range(),
                    });
                    walk(group.stream(), all);
                    all.push(Token {
                        text: close.into(),
                        range: group.span_close().byte_range(),
                    });
                }
                token => all.push(Token {
                    text: token.to_string(),
                    range: token.span().byte_range(),
                }),
            }
        }
    }
    let mut all = Vec::new();
    walk(tokens, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
impl Gate {
    /// ┌─ not ASCII
    fn open(&self) {
        match self.word.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fence(Ordering::SeqCst),
            Err(_) => self.word.store(0, Ordering::Relaxed),
        }
        if self.is_late() {
            self.look_again();
        }
        unsafe { self.word() }.load(Ordering::Acquire);
        unsafe { self.word() }.load(Ordering::Acquire);
    }
}
trait Late {
    fn is_late(&self) -> bool {
        self.word().load(Ordering::Acquire) > 0
    }
}
#[cfg(all(test, not(loom)))]
mod tests {
    fn test() { WORD.load(Ordering::SeqCst); }
}
"#;

    fn names(mutants: &[Mutant]) -> Vec<String> {
        mutants.iter().map(crate::table::name).collect()
    }

    #[test]
    fn finds_orderings_and_fences_but_not_those_of_tests() {
        let mutants = find("gate.rs", SOURCE, &[]).unwrap();
        assert_eq!(
            names(&mutants),
            [
                "gate.rs Gate::open word.compare_exchange success: AcqRel → Acquire",
                "gate.rs Gate::open word.compare_exchange success: AcqRel → Release",
                "gate.rs Gate::open word.compare_exchange success: AcqRel → Relaxed",
                "gate.rs Gate::open word.compare_exchange failure: Acquire → Relaxed",
                "gate.rs Gate::open fence: SeqCst → AcqRel",
                "gate.rs Gate::open fence: deleted",
                "gate.rs Gate::open word().load: Acquire → Relaxed",
                "gate.rs Gate::open word().load #2: Acquire → Relaxed",
                "gate.rs Late::is_late word().load: Acquire → Relaxed",
            ]
        );
        let mutated = mutants[5].apply(SOURCE);
        assert!(mutated.contains("Ok(_) => (),"));
        let mutated = mutants[7].apply(SOURCE);
        let last = mutated.rfind("unsafe").unwrap();
        assert!(mutated[last..].starts_with("unsafe { self.word() }.load(Ordering::Relaxed);"));
    }

    #[test]
    fn finds_listed_code() {
        let listed = |code: &str, becomes: Option<&str>| Listed {
            file: "gate.rs".into(),
            code: code.into(),
            becomes: becomes.map(Into::into),
        };
        let listed = [
            listed("look_again( )", None),
            listed("self.is_late()", Some("false")),
        ];
        let mutants = find("gate.rs", SOURCE, &listed).unwrap();
        let mutants: Vec<_> = mutants
            .iter()
            .filter(|m| !m.mutation.contains('→'))
            .collect();
        assert_eq!(mutants[1].mutation, "becomes `false`");
        assert!(mutants[1].apply(SOURCE).contains("if false {"));
        assert_eq!(mutants[2].mutation, "deleted");
        assert!(!mutants[2].apply(SOURCE).contains("look_again"));
    }

    #[test]
    fn an_ordering_that_cannot_be_mutated_is_an_error() {
        let source = "fn f() { let order = Ordering::Acquire; }";
        assert!(find("f.rs", source, &[]).is_err());
        let source = "fn f() { assert_eq!(WORD.load(Ordering::Acquire), 0); }";
        assert!(find("f.rs", source, &[]).is_err());
    }
}
