// SPDX-License-Identifier: Apache-2.0
// Rules: which attributes carry rates, plans and filters, and how they are written there.

import BNGCore
import RADIUS
import Subscribers

/// One rule of the configuration.
public struct AttributeRule: Sendable, Equatable {
    public var attribute: RADIUSDictionary.Entry
    public var pattern: AttributePattern

    public init(attribute: RADIUSDictionary.Entry, pattern: AttributePattern) {
        self.attribute = attribute
        self.pattern = pattern
    }
}

/// All rules, by attribute, in order.
struct AttributeRules: Sendable {
    private let byKey: [RADIUSAttributeKey: [AttributeRule]]

    init(_ rules: [AttributeRule]) {
        self.byKey = Dictionary(grouping: rules) { $0.attribute.key }
    }

    /// What the first rule that matches an attribute finds in it.
    func captures(of attribute: RADIUSAttribute) -> AttributePattern.Captures? {
        guard let rules = self.byKey[attribute.key], let kind = rules.first?.attribute.kind,
            let text = Self.text(attribute.value, kind)
        else { return nil }
        for rule in rules {
            if let captures = rule.pattern.match(text) { return captures }
        }
        return nil
    }

    static func text(_ value: ArraySlice<UInt8>, _ kind: RADIUSDictionary.Kind) -> String? {
        switch kind {
        case .text, .bytes: return value.radiusText
        case .number: return value.radiusInteger.map { "\($0)" }
        case .address: return IPv4Address(value)?.description
        }
    }
}

/// What rules can say of a service.
protocol RuledService {
    var plan: String? { get set }
    var filter: String? { get set }
    var rateUp: LineRate? { get set }
    var rateDown: LineRate? { get set }
}

extension ServiceGrant: RuledService {}
extension ServiceGrantChange: RuledService {}

extension RuledService {
    mutating func take(_ captures: AttributePattern.Captures) {
        self.rateUp = Self.rate(captures.up) ?? self.rateUp
        self.rateDown = Self.rate(captures.down) ?? self.rateDown
        self.plan = captures.plan ?? self.plan
        self.filter = captures.filter ?? self.filter
    }

    /// A rate of 0 is how some say "none": AAA then says nothing of it.
    private static func rate(_ bitsPerSecond: UInt64?) -> LineRate? {
        bitsPerSecond.flatMap { $0 == 0 ? nil : LineRate(bitsPerSecond: $0) }
    }
}
