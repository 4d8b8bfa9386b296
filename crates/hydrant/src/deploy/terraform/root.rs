//! With several regions: a provider and a call of the module for each.

use super::super::hcl::{self, Expression, Item, block, set, text};
use super::super::parameter::Parameter;
use super::super::plan::Plan;
use super::{File, head, output_list, parameters, variable, versions};

pub(super) fn files(plan: &Plan) -> Vec<File> {
    let mut main = Vec::new();
    for region in &plan.regions {
        let provider = vec![text("alias", alias(region)), text("region", region)];
        main.push(block("provider \"aws\"", provider));
    }
    main.extend(plan.regions.iter().map(|region| call(plan, region)));
    let variables: Vec<Item> = parameters(plan).map(|one| of_root(one, &plan.regions)).collect();
    let outputs: Vec<Item> =
        output_list(plan).into_iter().map(|(name, _, about)| output(name, about, plan)).collect();
    vec![
        ("main.tf".to_owned(), format!("{}\n{}", head(plan), hcl::file(&main))),
        ("variables.tf".to_owned(), hcl::file(&variables)),
        ("outputs.tf".to_owned(), hcl::file(&outputs)),
        ("versions.tf".to_owned(), hcl::file(&[versions()])),
    ]
}

/// Names in HCL are better without dashes.
fn alias(region: &str) -> String {
    region.replace('-', "_")
}

fn call(plan: &Plan, region: &str) -> Item {
    let alias = alias(region);
    let provider = Expression::Bare(format!("aws.{alias}"));
    let mut items = vec![
        text("source", "./client"),
        Item::Attribute(
            "providers".to_owned(),
            Expression::Object(vec![("aws".to_owned(), provider)]),
        ),
        Item::Blank,
    ];
    for Parameter { name, regional, .. } in parameters(plan) {
        let value =
            if *regional { format!("var.{name}[\"{region}\"]") } else { format!("var.{name}") };
        items.push(set(name, value));
    }
    block(format!("module \"{alias}\""), items)
}

/// What differs by region is a map of regions.
fn of_root(parameter: &Parameter, regions: &[String]) -> Item {
    if !parameter.regional {
        return variable(parameter);
    }
    let about = format!("{}; by region: {}", parameter.about, regions.join(", "));
    block(
        format!("variable \"{}\"", parameter.name),
        vec![text("description", about), set("type", "map(string)")],
    )
}

fn output(name: &str, about: &str, plan: &Plan) -> Item {
    let by_region = plan.regions.iter().map(|region| {
        let value = format!("module.{}.{name}", alias(region));
        (hcl::quoted(region), Expression::Bare(value))
    });
    let value = Expression::Object(by_region.collect());
    let items = vec![text("description", about), Item::Attribute("value".to_owned(), value)];
    block(format!("output \"{name}\""), items)
}
