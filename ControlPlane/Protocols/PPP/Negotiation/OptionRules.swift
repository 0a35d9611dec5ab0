// SPDX-License-Identifier: Apache-2.0
// How a Configure-Request is judged, whatever the protocol (RFC 1661 5.1-5.4).

/// What is thought of one option of the peer's.
enum OptionVerdict: Equatable {
    case acceptable
    /// This value would be.
    case nak(PPPOption)
    case reject
}

/// The reply to a Configure-Request.
typealias RequestVerdict = (code: UInt8, options: [PPPOption])

/// The options of one protocol: ours, and what the peer may ask for.
protocol OptionRules {
    /// What our Configure-Request asks for now.
    var request: [PPPOption] { get }
    func verdict(on option: PPPOption) -> OptionVerdict
    /// What the peer should have asked for.
    func missing(from options: [PPPOption]) -> [PPPOption]
    /// The peer's request is acknowledged.
    mutating func agree(to options: [PPPOption])
    /// The peer wants other values. False: negotiation cannot go on.
    mutating func nakked(_ options: [PPPOption], times: UInt8, limit: UInt8) -> Bool
    /// The peer does not want these. False: negotiation cannot go on.
    mutating func rejected(_ options: [PPPOption]) -> Bool
}

extension OptionRules {
    /// The reply's code and options. Rejects go before Naks (RFC 1661 5.4); without Naks left they are rejects too,
    /// and nothing is added to what the peer asked for (4.6, Max-Failure).
    func judge(_ options: [PPPOption], mayNak: Bool) -> RequestVerdict {
        var naks: [PPPOption] = []
        var rejects: [PPPOption] = []
        for (index, option) in options.enumerated() {
            // RFC 1661 6: an option is there once.
            guard !options[..<index].contains(where: { $0.type == option.type }) else {
                rejects.append(option)
                continue
            }
            switch self.verdict(on: option) {
            case .acceptable: break
            case .nak(let better) where mayNak: naks.append(better)
            case .nak, .reject: rejects.append(option)
            }
        }
        if !rejects.isEmpty { return (PPPCode.configureReject, rejects) }
        if mayNak { naks += self.missing(from: options) }
        return naks.isEmpty ? (PPPCode.configureAck, options) : (PPPCode.configureNak, naks)
    }
}
