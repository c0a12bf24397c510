//! The contract as declarations for TypeScript, in the form in which `ComponentizeJS` hands it to a
//! module: names in camelCase, u64 as bigint, `option` as a value that may be undefined, and an error
//! as what is thrown.

use std::fmt::Write as _;

use heck::{ToLowerCamelCase as _, ToUpperCamelCase as _};
use wit_parser::{
    Docs, Function, Handle, Interface, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId,
    TypeOwner, WorldItem,
};

use super::contract::Contract;

/// What the engine provides and TypeScript's own libraries leave to browsers' and Node.js's.
const ENGINE: &str = include_str!("templates/typescript/engine.d.ts");

/// What `countersign.d.ts` says: a module for each interface, under the name by which the host
/// provides it, and a module `countersign` with the types of what a method exports.
pub(super) fn declarations(contract: &Contract) -> String {
    let Contract { resolve, world } = contract;
    let mut text = String::from(
        "// Made by `countersign method bindings` of the files in wit/; changes are lost.\n",
    );
    let Some(world) = resolve.worlds.get(*world) else {
        return text;
    };
    for id in world
        .imports
        .values()
        .chain(world.exports.values())
        .filter_map(interface)
    {
        let (Some(interface), Some(name)) = (resolve.interfaces.get(id), resolve.id_of(id)) else {
            continue;
        };
        _ = writeln!(text, "\ndeclare module '{name}' {{");
        let mut module = Module {
            resolve,
            home: id,
            text: &mut text,
        };
        module.types(interface);
        module.functions(interface);
        text.push_str("}\n");
    }
    text.push_str("\ndeclare module 'countersign' {\n");
    for id in world.exports.values().filter_map(interface) {
        let interface = resolve.interfaces.get(id).and_then(|it| it.name.as_ref());
        if let (Some(interface), Some(name)) = (interface, resolve.id_of(id)) {
            let interface = interface.to_upper_camel_case();
            _ = writeln!(text, "  export type {interface} = typeof import('{name}');");
        }
    }
    text.push_str("}\n");
    text.push_str(ENGINE);
    text
}

const fn interface(item: &WorldItem) -> Option<InterfaceId> {
    match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    }
}

/// What is in one interface.
struct Module<'a> {
    resolve: &'a Resolve,
    home: InterfaceId,
    text: &'a mut String,
}

impl Module<'_> {
    fn types(&mut self, interface: &Interface) {
        for (name, id) in &interface.types {
            let Some(definition) = self.resolve.types.get(*id) else {
                continue;
            };
            self.docs("  ", &definition.docs);
            let name = name.to_upper_camel_case();
            if matches!(definition.kind, TypeDefKind::Resource) {
                self.resource(&name, *id, interface);
            } else if let TypeDefKind::Record(record) = &definition.kind {
                _ = writeln!(self.text, "  export interface {name} {{");
                for field in &record.fields {
                    self.docs("    ", &field.docs);
                    let optional = if self.is_option(field.ty) { "?" } else { "" };
                    let (name, of) = (field.name.to_lower_camel_case(), self.of(field.ty));
                    _ = writeln!(self.text, "    {name}{optional}: {of};");
                }
                self.text.push_str("  }\n");
            } else {
                let of = self.definition(definition);
                _ = writeln!(self.text, "  export type {name} = {of};");
            }
        }
    }

    fn resource(&mut self, name: &str, id: TypeId, interface: &Interface) {
        _ = writeln!(
            self.text,
            "  export class {name} {{\n    private constructor();"
        );
        for function in interface.functions.values() {
            if function.kind.resource() == Some(id) {
                self.function("    ", "", function);
            }
        }
        self.text
            .push_str("    /** Gives the handle back; the host holds 64 for a call. */\n");
        self.text.push_str("    [Symbol.dispose](): void;\n  }\n");
    }

    fn functions(&mut self, interface: &Interface) {
        for function in interface.functions.values() {
            if function.kind.resource().is_none() {
                self.function("  ", "export function ", function);
            }
        }
    }

    fn function(&mut self, indent: &str, keyword: &str, function: &Function) {
        let (result, throws) = match function.result {
            None => ("void".to_owned(), None),
            Some(result) => match self.result(result) {
                Some((ok, error)) => (
                    ok.map_or_else(|| "void".to_owned(), |ok| self.of(ok)),
                    Some(error.map_or_else(|| "undefined".to_owned(), |error| self.of(error))),
                ),
                None => (self.of(result), None),
            },
        };
        let mut docs = function.docs.clone();
        if let Some(throws) = throws {
            let text = docs.contents.get_or_insert_default();
            _ = write!(text, "\n\n@throws {{{throws}}}");
        }
        self.docs(indent, &docs);
        let parameters: Vec<String> = function
            .params
            .iter()
            .filter(|parameter| parameter.name != "self")
            .map(|parameter| {
                let name = parameter.name.to_lower_camel_case();
                format!("{name}: {}", self.of(parameter.ty))
            })
            .collect();
        let name = function.item_name().to_lower_camel_case();
        let parameters = parameters.join(", ");
        _ = writeln!(
            self.text,
            "{indent}{keyword}{name}({parameters}): {result};"
        );
    }

    fn docs(&mut self, indent: &str, docs: &Docs) {
        let Some(docs) = &docs.contents else { return };
        _ = writeln!(self.text, "{indent}/**");
        for line in docs.trim().lines() {
            // What would end the comment does not occur in the contract.
            let line = format!("{indent} * {}", line.replace("*/", "* /"));
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
        _ = writeln!(self.text, "{indent} */");
    }

    fn is_option(&self, of: Type) -> bool {
        matches!(self.kind(of), Some(TypeDefKind::Option(_)))
    }

    fn result(&self, of: Type) -> Option<(Option<Type>, Option<Type>)> {
        match self.kind(of) {
            Some(TypeDefKind::Result(result)) => Some((result.ok, result.err)),
            _ => None,
        }
    }

    fn kind(&self, of: Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = of else { return None };
        self.resolve
            .types
            .get(id)
            .map(|definition| &definition.kind)
    }

    fn of(&self, of: Type) -> String {
        match of {
            Type::Bool => "boolean".into(),
            Type::U64 | Type::S64 => "bigint".into(),
            Type::Char | Type::String => "string".into(),
            Type::Id(id) => match self.resolve.types.get(id) {
                Some(definition) => match &definition.name {
                    Some(name) => name.to_upper_camel_case(),
                    None => self.definition(definition),
                },
                None => "unknown".into(),
            },
            Type::ErrorContext => "unknown".into(),
            _ => "number".into(),
        }
    }

    fn definition(&self, definition: &TypeDef) -> String {
        match &definition.kind {
            TypeDefKind::Type(of) => self.alias(*of),
            TypeDefKind::List(Type::U8) => "Uint8Array".into(),
            TypeDefKind::List(of) => format!("Array<{}>", self.of(*of)),
            TypeDefKind::Option(of) => format!("{} | undefined", self.of(*of)),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.of(Type::Id(*id)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|of| self.of(*of)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Enum(of) => {
                let names: Vec<_> = of.cases.iter().map(|it| format!("'{}'", it.name)).collect();
                names.join(" | ")
            }
            TypeDefKind::Variant(of) => {
                let cases: Vec<_> = of
                    .cases
                    .iter()
                    .map(|case| self.case(&case.name, case.ty))
                    .collect();
                format!("\n    | {}", cases.join("\n    | "))
            }
            TypeDefKind::Result(of) => {
                format!("{} | {}", self.case("ok", of.ok), self.case("err", of.err))
            }
            _ => "unknown".into(),
        }
    }

    fn case(&self, name: &str, of: Option<Type>) -> String {
        match of {
            Some(of) => format!("{{ tag: '{name}', val: {} }}", self.of(of)),
            None => format!("{{ tag: '{name}' }}"),
        }
    }

    /// Another interface's type under a name of this one.
    fn alias(&self, of: Type) -> String {
        let Type::Id(id) = of else {
            return self.of(of);
        };
        let foreign = self.resolve.types.get(id).and_then(|definition| {
            let TypeOwner::Interface(owner) = definition.owner else {
                return None;
            };
            let name = definition.name.as_ref()?.to_upper_camel_case();
            let module = self.resolve.id_of(owner)?;
            (owner != self.home).then(|| format!("import('{module}').{name}"))
        });
        foreign.unwrap_or_else(|| self.of(of))
    }
}
